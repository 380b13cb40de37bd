import EnrollmentCore
import Simulation
import Testing

extension VerificationTests {
    /// Comparing the members of a body with values where both lie.
    @Suite struct RecordMembersTests {
        private static func members(_ text: String) throws -> RecordMembers {
            try RecordMembers(Array(text.utf8))
        }

        @Test(
            arguments: [
                (#""plain""#, "plain", true), (#""plain""#, "plais", false), (#""""#, "", true),
                (#""a\\nb""#, #"a\nb"#, true), (#""a\nb""#, #"a\nb"#, false), (#""a\nb""#, "a\nb", true),
                (#""é""#, "é", true), (#""\u00e9""#, "é", true), (#""ab\""#, "ab", false),
                ("null", "null", false), ("7", "7", false), (#""x\"y""#, #"x"y"#, true),
            ])
        func aStringIsItsOctets(_ written: String, _ text: String, _ isEqual: Bool) throws {
            guard let body = try? Self.members(#"{"a":\#(written),"b":"next"}"#) else {
                #expect(!isEqual)
                return
            }
            #expect(body.is("a", Array(text.utf8)) == isEqual)
            #expect((body.octets("a") == Array(text.utf8)) == isEqual)
            #expect(body.is("b", word: "next"))
        }

        @Test func aUUIDIsWrittenInLowerCase() throws {
            let number: UInt128 = 0x0197_85fa_0001_7abc_8def_0123_4567_89ab
            let body = try Self.members(
                #"{"a":"019785fa-0001-7abc-8def-0123456789ab","b":"019785FA-0001-7abc-8def-0123456789ab"}"#)
            #expect(body.isUUID("a", number))
            #expect(!body.isUUID("a", number + 1))
            #expect(!body.isUUID("a", nil))
            #expect(!body.isUUID("b", number))
            #expect(body.isUUID("c", nil))
        }

        @Test(
            arguments: [
                "2026-11-22T10:00:00.000000Z", "2026-11-22T10:00:00.123456Z", "2024-02-29T23:59:59.999999Z",
                "2023-02-29T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z", "2026-13-01T00:00:00.000000Z",
                "2026-11-22T10:00:60.000000Z", "2026-11-22 10:00:00.000000Z", "2026-11-22T10:00:00.00000xZ",
                "2026-11-22T10:00:00.000000+", "9999-12-31T23:59:59.999999Z", "2026-11-22T10:00:00Z",
                "2026-11-22T10:00:00.000+01:00",
            ])
        func aTimeIsReadAsItAlwaysWas(_ time: String) throws {
            let body = try Self.members(#"{"at":"\#(time)"}"#)
            #expect(body.time("at") == Timestamp(rfc3339: time)?.microseconds)
        }

        @Test func whatLiesInAnObjectIsFound() throws {
            let body = try Self.members(#"{"o":{"a":[],"b":"x","c":null,"d":true,"e":{"b":"y"}},"s":"t"}"#)
            #expect(body.value("o", "a") == .array([]))
            #expect(body.octets("o", "b") == Array("x".utf8))
            #expect(body.place("o", "c") == nil)
            #expect(body.isTrue("o", "d"))
            #expect(body.place("o", "f") == nil)
            #expect(body.place("s", "a") == nil)
            #expect(body.place("t", "a") == nil)
        }

        @Test(
            arguments: [
                #"{"a":[1,]}"#, #"{"a":{"b":1,}}"#, #"{"a":[1 2]}"#, #"{"a":{"b" 1}}"#, #"{"a":[1}}"#,
                #"{"a":[1}"#, #"{"a":{1:2}}"#, #"{"a":"x}"#, #"{"a":"\"}"#, "{\"a\":\"\u{1}\"}", #"{"a":01}"#,
                #"{"a":-}"#, #"{"a":1.5}"#, #"{"a":9223372036854775808}"#, #"{"a":[,1]}"#, #"{"a":tru}"#,
                #"{"a":[01,2,3]}"#, #"{"a":[00,1,2]}"#, #"{"a":[1,,2]}"#, #"{"a":[1,2,3}"#, #"{"a":[1,2,}"#,
                #"{"a":[1,2,]}"#, #"{"a":[1,22,333,]}"#, #"{"a":[1,2"#, #"{"a":[1,2,"#,
                #"{"a":nul"#, #"{"a":[[]"#, #"{"a":1}x"#, #"{"b":1,"a":2}"#, #"{"a":1,"a":2}"#,
                "{\"a\":" + String(repeating: "[", count: 64) + String(repeating: "]", count: 64) + "}",
            ])
        func whatIsNoDocumentIsRefused(_ text: String) {
            #expect(throws: RecordError.self) { try Self.members(text) }
        }

        @Test func whatIsADocumentIsRead() throws {
            let deep = String(repeating: "[", count: 63) + String(repeating: "]", count: 63)
            let text = """
                { "a" : [ ] , "b" : { } , "c" : [ { "x" : [ 1 , -9223372036854775808 ] } , "enough, \\" }" ] ,
                "d" : \(deep) , "e" : 9223372036854775807 , "f" : [ true , false , null , "" ] ,
                "g":[0,9,10,99,100,255,256,1000,-1],"h":[1,22,333,[4,5],{"i":6}],"j":[255] }
                """
            let body = try Self.members(text)
            #expect(body.has("f") && body.text("a") == nil)
            #expect(body.value("c") == .array([["x": [1, .integer(.min)]], "enough, \" }"]))
        }
    }
}
