import EnrollmentCore
import Foundation
import Testing

struct EncodingTests {
    // RFC 4648 §10.
    static let cases = [
        ("", "", ""), ("f", "Zg==", "MY"), ("fo", "Zm8=", "MZXQ"), ("foo", "Zm9v", "MZXW6"),
        ("foob", "Zm9vYg==", "MZXW6YQ"), ("fooba", "Zm9vYmE=", "MZXW6YTB"),
        ("foobar", "Zm9vYmFy", "MZXW6YTBOI"),
    ]

    @Test(arguments: Self.cases)
    func rfc4648(_ text: String, _ base64: String, _ base32: String) {
        let bytes = Array(text.utf8)
        #expect(Base64.encode(bytes) == base64)
        #expect(Base64.decode(base64.utf8) == bytes)
        let unpadded = base64.filter { $0 != "=" }
        #expect(Base64.encodeURLSafe(bytes) == unpadded)
        #expect(Base64.decodeURLSafe(unpadded.utf8) == bytes)
        #expect(Base32.encode(bytes) == base32)
        #expect(Hex.decode(Hex.encode(bytes)) == bytes)
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zh==", "Zg==\n", "Z g=", "====", "Zg==Zg==", "Z===", "Zm9-", "Zg=A", "Zm9=",
    ])
    func base64IsStrict(_ text: String) { #expect(Base64.decode(text.utf8) == nil) }

    @Test(arguments: ["Z", "Zg==", "Zh", "Zm+v", "Zm 9"])
    func base64URLIsStrict(_ text: String) { #expect(Base64.decodeURLSafe(text.utf8) == nil) }

    @Test func alphabetsDiffer() {
        #expect(Base64.encode([0xfb, 0xff]) == "+/8=")
        #expect(Base64.encodeURLSafe([0xfb, 0xff]) == "-_8")
        #expect(Hex.encode([0x0a, 0xff]) == "0aff")
        #expect(Hex.decode("0AfF") == [0x0a, 0xff])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
        #expect(Base32.isCharacter(0x41) && !Base32.isCharacter(0x61) && !Base32.isCharacter(0x31))
    }

    @Test func fieldDigestsSeparateFields() {
        #expect(Digest(ofFields: [[1], [2]]) != Digest(ofFields: [[1, 2]]))
        #expect(Digest(ofFields: [[], [1]]) != Digest(ofFields: [[1], []]))
        #expect(
            Digest(of: Array("abc".utf8)).description
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest(bytes: [1]) == nil)
    }
}

struct JSONValueTests {
    // RFC 8785 §3.2.2.2 and §3.2.3, without fractions.
    @Test func stringsAreEscapedAsRFC8785Says() {
        let text = "\u{20ac}$\u{000F}\u{000a}A'\u{0042}\u{0022}\u{005c}\\\"/"
        #expect(JSONValue.string(text).canonicalText == "\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"")
        #expect(JSONValue.string("\u{8}\t\u{c}\r\u{7f}").canonicalText == "\"\\b\\t\\f\\r\u{7f}\"")
    }

    @Test func keysAreSortedByUTF16() {
        let value: JSONValue = [
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh",
            "1": "One", "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control",
            "\u{f6}": "Latin Small Letter O With Diaeresis",
        ]
        let expected =
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\","
            + "\"ö\":\"Latin Small Letter O With Diaeresis\",\"€\":\"Euro Sign\","
            + "\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
        #expect(value.canonicalText == expected)
    }

    @Test func literalsAndNesting() throws {
        let value: JSONValue = ["b": [1, true, nil, -9], "a": .init(String?.none), "c": [:]]
        #expect(value.canonicalText == #"{"a":null,"b":[1,true,null,-9],"c":{}}"#)
        let read = try JSONDecoder().decode(JSONValue.self, from: Data(value.canonicalText.utf8))
        #expect(read == value)
    }
}

struct IdentifierTests {
    @Test func requestIDsAreVersion7AndSortByTime() {
        let time = Timestamp(microseconds: 0x0123_4567_89ab * 1_000)
        let id = RequestID(at: time, random: [UInt8](repeating: 0xff, count: 10))
        #expect(id.description == "01234567-89ab-7fff-bfff-ffffffffffff")
        #expect(RequestID(id.description) == id)
        #expect(RequestID(id.description.uppercased()) == id)
        #expect(RequestID(at: time.adding(seconds: 1), random: []) > id)
        #expect(RequestID(bytes: id.bytes) == id)
        #expect(RequestID(bytes: [1]) == nil)
    }

    @Test(arguments: [
        "", "0123456789ab7fffbfffffffffffffff", "01234567-89ab-7fff-bfff-fffffffffff",
        "01234567-89ab-7fff-bfff-ffffffffffgg", "01234567-89ab-7fff-bfff_ffffffffffff",
        "0123-4567-89ab7fff-bfff-ffffffffffff",
    ])
    func otherTextIsNoRequestID(_ text: String) { #expect(RequestID(text) == nil) }

    @Test(arguments: [
        ("LT-042", true), ("a.b_c-D9", true), ("", false), ("a:b", false), ("a b", false), ("é", false),
    ])
    func deviceIDs(_ text: String, _ isOne: Bool) { #expect((DeviceID(text) != nil) == isOne) }

    @Test func boundsOfIdentifiers() {
        #expect(DeviceID(String(repeating: "a", count: 64)) != nil)
        #expect(DeviceID(String(repeating: "a", count: 65)) == nil)
        #expect(CredentialID("ABCDEFGHIJKLMNOP") != nil)
        #expect(CredentialID("ABCDEFGHIJKLMNO1") == nil)
        #expect(CredentialID("ABCDEFGHIJKLMNO") == nil)
    }
}

struct CredentialRecordTests {
    static func key(_ text: String) -> TransactionKey { TransactionKey(digest: Digest(of: Array(text.utf8))) }

    static func record(_ change: (inout CredentialRecord) -> Void = { _ in }) throws -> CredentialRecord {
        var record = CredentialRecord(
            id: try #require(CredentialID("ABCDEFGHIJKLMNOP")), masterKeyVersion: 1,
            service: ServiceName("laptops"),
            device: try #require(DeviceID("LT-042")), restrictedTo: nil, mintedAt: Timestamp(seconds: 0),
            expiresAt: Timestamp(seconds: 100), mintedBy: "admin")
        change(&record)
        return record
    }

    static func state(_ record: CredentialRecord, _ key: String = "a", at seconds: Int64 = 50)
        -> CredentialState
    {
        record.state(for: Self.key(key), service: ServiceName("laptops"), at: Timestamp(seconds: seconds))
    }

    @Test func expiryIsExclusive() throws {
        #expect(Self.state(try Self.record(), at: 99) == .usable)
        #expect(Self.state(try Self.record(), at: 100) == .expired)
    }

    @Test func consumptionBelongsToOneKeyForEver() throws {
        let spent = try Self.record { $0.consumedBy = Self.key("a") }
        #expect(Self.state(spent, "a", at: 1_000) == .usable)
        #expect(Self.state(spent, "b") == .spent)
    }

    @Test func deferralHoldsAndPausesExpiry() throws {
        let held = try Self.record {
            $0.deferredFor = Self.key("a")
            $0.deferredUntil = Timestamp(seconds: 500)
        }
        #expect(Self.state(held, "a", at: 499) == .usable)
        #expect(Self.state(held, "b", at: 499) == .spent)
        #expect(Self.state(held, "a", at: 500) == .expired)
    }

    @Test func revocationAndForeignServiceComeFirst() throws {
        let revoked = try Self.record {
            $0.revokedAt = Timestamp(seconds: 1)
            $0.consumedBy = Self.key("a")
        }
        #expect(Self.state(revoked) == .revoked)
        let foreign = revoked.state(
            for: Self.key("a"), service: ServiceName("servers"), at: Timestamp(seconds: 50))
        #expect(foreign == .foreignService)
    }
}

struct SecretTests {
    @Test func nothingPrintsASecret() {
        let secret = Secret("hunter2-hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        for text in [
            "\(secret)", String(describing: secret), String(reflecting: secret), dumped, "\([secret])",
        ] {
            #expect(!text.contains("hunter2") && !text.contains("104"), "\(text)")
        }
        #expect(secret.revealed == Array("hunter2-hunter2".utf8))
    }

    @Test func comparisonIsByOctets() {
        let secret = Secret("abc")
        #expect(secret.equalsInConstantTime(Array("abc".utf8)))
        #expect(!secret.equalsInConstantTime(Array("abd".utf8)))
        #expect(!secret.equalsInConstantTime(Array("ab".utf8)))
        #expect(Secret("").equalsInConstantTime([]))
    }
}
