import Database
import EnrollmentCore
import Identity
import Testing

struct DeviceImportTests {
    static let sample = """
        {"id":"LT-042","serial":"C02XL0GYJGH6","udid":null,"groups":["corp-laptops"],"dns":["LT-042.devices.localhost"],\
        "email":[],"upn":[],"sid":null,"owner":"jane@corp.example","posture":[{"source":"intune","status":"compliant",\
        "jailbroken":false,"observed_at":"2026-11-22T10:00:00Z"}]}
        """

    @Test func aLineIsADevice() throws {
        let devices = try DeviceImport.parse(Array("\(Self.sample)\r\n\n{\"id\":\"x\"}\n".utf8))
        #expect(devices.count == 2)
        #expect(devices.first?.dns == ["lt-042.devices.localhost"])
        #expect(devices.first?.posture.first?.observedAt == Timestamp(rfc3339: "2026-11-22T10:00:00Z"))
    }

    @Test(arguments: [
        "[]", "{", "{}", #"{"id":"a b"}"#, #"{"id":1}"#, #"{"id":"a","group":["x"]}"#,
        #"{"id":"a","groups":"x"}"#,
        #"{"id":"a","groups":[1]}"#, #"{"id":"a","dns":["a..b"]}"#, #"{"id":"a","dns":["a b"]}"#,
        #"{"id":"a","serial":""}"#, #"{"id":"a","owner":"\u0000"}"#, #"{"id":"a","posture":{}}"#,
        #"{"id":"a","posture":[{"source":"i","status":"good"}]}"#,
        #"{"id":"a","posture":[{"status":"compliant"}]}"#,
        #"{"id":"a","posture":[{"source":"i","status":"compliant","observed_at":"yesterday"}]}"#,
        #"{"id":"a","posture":[{"source":"i","status":"compliant","seen":1}]}"#,
        #"{"id":"a","posture":[{"source":"i","status":"unknown"},{"source":"i","status":"compliant"}]}"#,
        #"{"id":"ok"}"#,
    ])
    func whatIsOddIsRefusedWithItsLine(_ line: String) {
        let error = #expect(throws: DeviceImport.LineError.self) {
            try DeviceImport.parse(Array("{\"id\":\"ok\"}\n\n\(line)\n".utf8))
        }
        #expect(error?.line == 3)
    }
}
