import EnrollmentCore
import Testing

@testable import Identity

struct DeviceTableTests {
    static let header =
        "id,serial,udid,groups,dns,email,upn,sid,owner,"
        + "posture_source,posture_status,posture_jailbroken,posture_observed_at"

    private static func parse(_ text: String) throws -> [DeviceFacts] {
        try DeviceImport.parse(Array(text.utf8), as: .csv)
    }

    @Test func aLineSaysWhatTheOtherFormSays() throws {
        let table = """
            \(Self.header)\r
            LT-042,C02XL0GYJGH6,,corp-laptops,LT-042.devices.localhost,,,,jane@corp.example,intune,compliant,false,\
            2026-11-22T10:00:00Z\r

            """
        #expect(
            try Self.parse(table) == (try DeviceImport.parse(Array(DeviceImportTests.sample.utf8))))
    }

    @Test func listsQuotesAndColumnsInAnyOrder() throws {
        let devices = try Self.parse(
            """
            \u{feff}groups,"owner",id,posture_source,posture_status,posture_jailbroken

            a;b,"Jane ""J"", Roe",LT-1,intune;edr,compliant;unknown,false;
            ,,LT-2,,,
            """)
        #expect(devices.map(\.id.rawValue) == ["LT-1", "LT-2"])
        let first = try #require(devices.first)
        #expect(first.groups == ["a", "b"] && first.owner == "Jane \"J\", Roe" && first.dns.isEmpty)
        #expect(
            first.posture == [
                PostureFact(source: "edr", status: .unknown, observedAt: nil),
                PostureFact(source: "intune", status: .compliant, jailbroken: false, observedAt: nil),
            ])
        #expect(devices.last?.posture.isEmpty == true && devices.last?.owner == nil)
    }

    @Test func nothingIsAnEmptyList() throws {
        #expect(try Self.parse("").isEmpty)
        #expect(try Self.parse("\n\r\n").isEmpty)
        #expect(try Self.parse("id\n").isEmpty)
    }

    @Test(
        arguments: [
            ("serial\nx\n", 1, "there is no column id"),
            ("id,group\nx,y\n", 1, "unknown column \"group\": did you mean groups?"),
            ("id,Groups\nx,y\n", 1, "unknown column \"Groups\": did you mean groups?"),
            ("id,onwer\n", 1, "unknown column \"onwer\": did you mean owner?"),
            ("id,colour\n", 1, "unknown column \"colour\": there are id, serial, udid"),
            ("id,dns,id\n", 1, "the column id is there twice"),
            ("id,dns\nx\n", 2, "1 fields under 2 columns"),
            ("id\n\nx,y\n", 3, "2 fields under 1 columns"),
            ("id\nx\nx\n", 3, "x is given twice"),
            ("id\na b\n", 2, "id must be"),
            ("id,dns\nx,a..b\n", 2, "dns holds a name that is none: a..b"),
            ("id,groups\nx,a; b\n", 2, "groups has a space before or after \" b\""),
            ("id,groups\nx,a;\n", 2, "groups must have 1 to 500 octets"),
            ("id,owner\nx,\"a\nb\"\n", 2, "owner must have 1 to 500 octets and no control characters"),
            ("id,owner\nx,\"a\nb\"\ny,\"c\"d\n", 4, "field 2 goes on after its quotes"),
            ("id,owner\nx,a\"b\n", 2, "field 2 has a quote within"),
            ("id,owner\n\nx,\"a\n\n", 3, "field 2 has no closing quotes"),
            ("id,posture_status\nx,compliant\n", 2, "posture_status has 1 values for 0 in posture_source"),
            ("id,posture_source\nx,intune\n", 2, "posture_status must be compliant"),
            ("id,posture_source,posture_status\nx,intune,good\n", 2, "posture_status must be compliant"),
            ("id,posture_source,posture_status\nx,a;a,unknown;unknown\n", 2, "posture_source names a twice"),
            (
                "id,posture_source,posture_status,posture_jailbroken\nx,i,unknown,no\n", 2,
                "posture_jailbroken must be true or false"
            ),
            (
                "id,posture_source,posture_status,posture_observed_at\nx,i,unknown,yesterday\n", 2,
                "posture_observed_at must be an RFC 3339 time"
            ),
        ] as [(String, Int, String)])
    func whatIsOddIsRefusedWithLineAndColumn(_ text: String, _ line: Int, _ problem: String) {
        let error = #expect(throws: DeviceImport.LineError.self) { try Self.parse(text) }
        #expect(error?.line == line)
        #expect(error?.problem.hasPrefix(problem) == true, "\(error?.problem ?? "")")
    }

    @Test func octetsThatAreNoTextAreRefused() {
        let error = #expect(throws: DeviceImport.LineError.self) {
            try DeviceImport.parse(Array("id\nx\n".utf8) + [0xff, 0x0a], as: .csv)
        }
        #expect(error?.line == 3 && error?.problem == "field 1 is not UTF-8")
        let long = #expect(throws: DeviceImport.LineError.self) {
            try Self.parse("id,owner\nx,\"\(String(repeating: "y", count: 70_000))\"\n")
        }
        #expect(long?.problem.hasSuffix("longer than 65536 octets") == true)
    }
}

struct DeviceChangeTests {
    private static let now = Timestamp(seconds: 1_795_348_800)

    private static func device() throws -> DeviceFacts {
        DeviceFacts(
            id: try #require(DeviceID("LT-1")), serial: "S1", groups: ["a", "b"], dns: ["x.example"],
            owner: "jane", posture: [PostureFact(source: "edr", status: .unknown, observedAt: nil)])
    }

    @Test func onlyWhatIsNamedChanges() throws {
        let device = try Self.device()
        let change = try DeviceChange(
            values: ["owner": "joe", "serial": ""],
            lists: ["groups": ["+c", "-a", "-z"], "dns": ["+Y.Example"], "email": []],
            posture: ["source=intune,status=compliant,jailbroken=false", "-edr"], at: Self.now)
        #expect(!change.isEmpty)
        var expected = device
        (expected.owner, expected.serial, expected.groups) = ("joe", nil, ["b", "c"])
        expected.dns = ["x.example", "y.example"]
        expected.posture = [
            PostureFact(source: "intune", status: .compliant, jailbroken: false, observedAt: Self.now)
        ]
        #expect(change.applied(to: device) == expected)
        let difference = DeviceDifference(from: device, to: expected)
        #expect(difference.fields.map(\.name) == ["dns", "groups", "owner", "posture", "serial"])
        #expect(change.applied(to: expected) == expected)
        #expect(try DeviceChange(values: [:], lists: [:], posture: [], at: Self.now).isEmpty)
    }

    @Test func aPostureFactReplacesThatOfItsSource() throws {
        let change = try DeviceChange(
            values: [:], lists: [:],
            posture: ["source=edr,status=noncompliant,observed_at=2026-11-22T10:00:00Z"], at: Self.now)
        let observed = try #require(Timestamp(rfc3339: "2026-11-22T10:00:00Z"))
        #expect(
            change.applied(to: try Self.device()).posture == [
                PostureFact(source: "edr", status: .noncompliant, observedAt: observed)
            ])
    }

    @Test(
        arguments: [
            ([:], ["groups": ["servers"]], []), ([:], ["groups": ["+"]], []), ([:], ["groups": [""]], []),
            ([:], ["groups": ["+a", "-a"]], []), ([:], ["dns": ["+a..b"]], []), (["owner": "a\nb"], [:], []),
            ([:], [:], ["intune"]), ([:], [:], ["source=intune"]), ([:], [:], ["source=,status=compliant"]),
            ([:], [:], ["source=i,status=good"]), ([:], [:], ["source=i,status=unknown,seen=now"]),
            ([:], [:], ["source=i,status=unknown,jailbroken=no"]),
            ([:], [:], ["source=i,status=unknown,observed_at=yesterday"]),
            ([:], [:], ["source=i,status=unknown,status=compliant"]),
            ([:], [:], ["source=i,status=unknown", "-i"]),
        ] as [([String: String], [String: [String]], [String])])
    func whatIsOddIsRefused(
        _ values: [String: String], _ lists: [String: [String]], _ posture: [String]
    ) {
        #expect(throws: DeviceChange.Problem.self) {
            try DeviceChange(values: values, lists: lists, posture: posture, at: Self.now)
        }
    }
}
