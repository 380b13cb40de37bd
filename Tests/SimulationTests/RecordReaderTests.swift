import EnrollmentCore
import Foundation
import Testing

@testable import Policy
@testable import Simulation

/// The reader of recorded documents against the decoder that everything else uses.
struct RecordReaderTests {
    static func read(_ text: String) throws -> PolicyInput {
        var reader = RecordReader(Array(text.utf8))
        let input = try reader.policyInput()
        try reader.finish()
        return input
    }

    @Test("it agrees with the decoder on the input of every starter case")
    func starterCases() throws {
        let cases = try Recorded.bundle().cases
        #expect(cases.count > 40)
        for input in cases.map(\.input) {
            let text = try Recorded.canonical(input).canonicalText
            #expect(try Self.read(text) == input)
            #expect(try JSONDecoder().decode(PolicyInput.self, from: Data(text.utf8)) == input)
        }
    }

    @Test("it agrees with the decoder on any input")
    func anyInput() throws {
        var chance = Chance(state: 7)
        for _ in 0..<500 {
            let document = try Recorded.canonical(Self.input(&chance))
            let text = document.canonicalText
            let decoded = try JSONDecoder().decode(PolicyInput.self, from: Data(text.utf8))
            #expect(try Self.read(text) == decoded)
            // Another writer's taste: white space, escaped slashes, another order.
            let encoder = JSONEncoder()
            encoder.outputFormatting = .prettyPrinted
            let pretty = String(decoding: try encoder.encode(document), as: UTF8.self)
            #expect(try Self.read(pretty) == decoded)
            var reader = RecordReader(Array(pretty.utf8))
            #expect(try reader.document() == document)
        }
    }

    @Test("what older versions recorded is read")
    func olderRecords() throws {
        guard case .object(var members) = try Recorded.canonical(Recorded.laptop()),
            case .object(var history)? = members["history"]
        else { return #expect(Bool(false)) }
        members["approvals"] = nil
        for later in ["failed_attempts", "last_proofs", "minted_by"] { history[later] = nil }
        members["history"] = .object(history)
        #expect(try Self.read(JSONValue.object(members).canonicalText) == Recorded.laptop())
    }

    @Test(
        "each member that must be there is asked for",
        arguments: [
            "service", "request", "proofs", "history", "protocol", "operation", "instant", "claimed_devices",
            "client_address", "request.names", "request.names_complete", "request.extended_key_usages",
            "request.names.dns", "request.names.email", "request.names.ip", "request.names.upn",
            "request.names.uri", "request.names.unsupported", "request.names.otherSubjectAttributes",
            "device.id", "device.groups", "device.dns", "device.email", "device.upn", "device.posture",
        ])
    func missing(member: String) throws {
        let whole = try Recorded.canonical(Recorded.laptop())
        #expect(throws: Never.self) { try Self.read(whole.canonicalText) }
        let without = Self.removing(member.split(separator: ".").map(String.init), from: whole)
        #expect(without != whole)
        #expect(throws: RecordError.self) { try Self.read(without.canonicalText) }
    }

    /// A document without the member at the end of a path.
    private static func removing(_ path: [String], from document: JSONValue) -> JSONValue {
        guard case .object(var members) = document, let name = path.first else { return document }
        let inner = members[name].map { removing(Array(path.dropFirst()), from: $0) }
        members[name] = path.count > 1 ? inner : nil
        return .object(members)
    }

    @Test(
        "what is no value is refused, never trapped on",
        arguments: [
            "", " ", "{", "[", "\"", "\"\\", "\"\\u12", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\x\"", "tru",
            "nul",
            "-", "01", "1.5", "1e3", "9223372036854775808", "-9223372036854775809", "[1,]", "{\"a\":1,}",
            "{1:2}",
            "{\"a\" 1}", "[1 2]", "}", "\"\u{1}\"", "[1", "{\"a\":", String(repeating: "[", count: 100_000),
            String(repeating: "{\"a\":", count: 100_000), "\u{feff}1",
        ])
    func malformed(text: String) {
        var reader = RecordReader(Array(text.utf8))
        #expect(throws: RecordError.self) { try reader.document() }
        reader = RecordReader(Array(text.utf8))
        #expect(throws: RecordError.self) {
            try reader.skip()
            // Escapes are looked into when a string is read only.
            if text.hasPrefix("\"\\") { throw RecordError("", at: 0) }
        }
    }

    @Test("text that is not UTF-8 is refused")
    func notUTF8() {
        for octets: [UInt8] in [
            [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
        ] {
            var reader = RecordReader([0x22] + octets + [0x22])
            #expect(throws: RecordError.self) { try reader.string() }
        }
    }

    @Test("the whole range of numbers is read")
    func numbers() throws {
        for number in [Int64.min, .max, 0, -1, 10] {
            var reader = RecordReader(Array("\(number)".utf8))
            #expect(try reader.integer() == number)
        }
    }

    @Test("a member given twice is refused, also when it is the second that is harmless")
    func repeated() throws {
        let text = try Recorded.canonical(Recorded.laptop()).canonicalText
        #expect(throws: RecordError.self) { try Self.read("{\"service\":\"laptops\"," + text.dropFirst()) }
    }

    private static func input(_ chance: inout Chance) throws -> PolicyInput {
        let device = try #require(DeviceID("LT-\(chance.below(100))"))
        let credential = try #require(CredentialID("AAAAAAAAAAAAAAAA"))
        let proofs: [VerifiedProof] = [
            .oneTimeCredential(id: credential, device: device, state: chance.one(of: CredentialState.self)),
            .clientCertificate(
                certificate: Digest(of: [2]), device: device, state: chance.one(of: CertificateState.self),
                names: chance.names()),
            .account(
                id: chance.text(), credential: credential, device: device,
                state: chance.one(of: CredentialState.self)),
            .domainControl([
                DomainAuthorization(name: chance.text(), method: "http-01", validatedAt: chance.instant())
            ]),
            .domainControl([]),
        ]
        return PolicyInput(
            service: ServiceName(chance.text()), requestedProfile: chance.maybe { ProfileName($0.text()) },
            enrollmentProtocol: chance.one(of: EnrollmentProtocol.self),
            operation: chance.one(of: EnrollmentOperation.self), instant: chance.instant(),
            request: RequestFacts(
                names: chance.names(), namesAreComplete: chance.flip(), extendedKeyUsages: chance.texts(),
                publicKey: chance.maybe {
                    PublicKey(
                        subjectPublicKeyInfo: (0..<$0.below(300)).map { UInt8(truncatingIfNeeded: $0) },
                        algorithm: $0.one(of: KeyAlgorithm.self))
                },
                digest: chance.maybe { _ in Digest(of: [3]) },
                requestedNotAfter: chance.maybe { $0.instant() }),
            proofs: proofs.filter { _ in chance.flip() }, claimedDevices: chance.texts(),
            provenDevice: chance.maybe { _ in device },
            device: chance.maybe { chance in
                DeviceFacts(
                    id: device, serial: chance.maybe { $0.text() }, udid: chance.maybe { $0.text() },
                    groups: chance.texts(), dns: chance.texts(), email: chance.texts(), upn: chance.texts(),
                    sid: chance.maybe { $0.text() }, owner: chance.maybe { $0.text() },
                    posture: [
                        PostureFact(
                            source: chance.text(), status: chance.one(of: PostureStatus.self),
                            jailbroken: chance.maybe { $0.flip() },
                            observedAt: chance.maybe { $0.instant() })
                    ])
            },
            history: HistoryFacts(
                activeCertificates: chance.below(20), keySeenOnOtherDevice: chance.flip(),
                keyBlocked: chance.flip(), failedAttempts: chance.below(9), lastProofs: chance.texts(),
                mintedBy: chance.maybe { $0.text() }),
            approvals: chance.flip()
                ? []
                : [
                    Approval(
                        approver: chance.text(), verdict: chance.one(of: Approval.Verdict.self),
                        at: chance.instant())
                ],
            clientAddress: chance.text())
    }
}
