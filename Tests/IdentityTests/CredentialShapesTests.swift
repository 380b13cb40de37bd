import Crypto
import EnrollmentCore
import EnrollmentTesting
import Identity
import Testing

struct CredentialShapesTests {
    static let id = CredentialID("AAAAAAAAAAAAAAAA")
    static let shapes: [EnrollmentProtocol] = [.scep, .est]

    static func keys(_ octets: [Int: UInt8] = [1: 7]) throws -> MasterKeys {
        try #require(MasterKeys(octets.mapValues { Secret(Array(repeating: $0, count: 32)) }))
    }

    static func shapes(_ id: String = "AAAAAAAAAAAAAAAA", version: Int = 1, _ keys: MasterKeys? = nil) throws
        -> CredentialShapes
    {
        CredentialShapes(
            of: try #require(CredentialID(id)), version: version, masterKeys: try keys ?? Self.keys())
    }

    static func text(_ shapes: CredentialShapes, _ shape: EnrollmentProtocol) throws -> String {
        String(decoding: try #require(shapes.text(for: shape)).revealed, as: UTF8.self)
    }

    @Test(arguments: shapes) func theSameCredentialHasTheSameTextOnEveryGateway(_ shape: EnrollmentProtocol)
        throws
    {
        #expect(try Self.text(Self.shapes(), shape) == Self.text(Self.shapes(), shape))
    }

    /// HKDF-SHA-256 computed apart from the code under test, without salt, over the documented context.
    @Test func theDerivationIsTheDocumentedOne() throws {
        func derive(_ shape: String, _ count: Int) -> [UInt8] {
            let context = "gatehouse enrollment credential\u{0}\(shape)\u{0}AAAAAAAAAAAAAAAA"
            let zero = SymmetricKey(data: Array(repeating: 0 as UInt8, count: 32))
            let seed = HMAC<SHA256>.authenticationCode(
                for: Array(repeating: 7 as UInt8, count: 32), using: zero)
            let block = HMAC<SHA256>.authenticationCode(
                for: Array(context.utf8) + [1], using: SymmetricKey(data: Array(seed)))
            return Array(Array(block).prefix(count))
        }
        let shapes = try Self.shapes()
        #expect(try Self.text(shapes, .scep) == "AAAAAAAAAAAAAAAA" + Base32.encode(derive("scep", 20)))
        #expect(try Self.text(shapes, .est) == "AAAAAAAAAAAAAAAA" + Base32.encode(derive("est", 20)))
        #expect(shapes.externalAccountKey?.revealed == derive("acme", 32))
    }

    /// 32 characters of base32 are 160 bits, and the alphabet is PrintableString's (X.680 §41.4).
    @Test(arguments: shapes) func aTextIsTypeableAndHardToGuess(_ shape: EnrollmentProtocol) throws {
        let text = try Self.text(Self.shapes(), shape)
        let allowed = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        #expect(text.count == 48 && text.allSatisfy { allowed.contains($0) })
        #expect(text.hasPrefix("AAAAAAAAAAAAAAAA"))
        #expect((text.count - 16) * 5 >= 128)
        #expect(try #require(Self.shapes().externalAccountKey).revealed.count * 8 >= 128)
    }

    @Test func noTwoSecretsAreRelated() throws {
        let keys = try Self.keys([1: 7, 2: 7, 3: 8])
        var secrets: Set<[UInt8]> = []
        var made = 0
        for id in ["AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAB"] {
            for version in [1, 3] {
                let shapes = try Self.shapes(id, version: version, keys)
                for shape in EnrollmentProtocol.allCases {
                    secrets.insert(Array(try #require(shapes.text(for: shape)).revealed.dropFirst(16)))
                    made += 1
                }
                secrets.insert(try #require(shapes.externalAccountKey).revealed)
                made += 1
            }
        }
        #expect(secrets.count == made)
        #expect(
            try #require(Self.shapes().externalAccountKey).revealed
                != (try #require(Self.shapes(version: 3, keys).externalAccountKey).revealed))
    }

    @Test func aShapeMatchesItselfAndNothingElse() throws {
        let shapes = try Self.shapes()
        for mine in Self.shapes {
            let text = try #require(shapes.text(for: mine))
            for shape in Self.shapes {
                #expect(shapes.matches(OfferedCredential(shape: shape, text: text)) == (shape == mine))
            }
            for index in text.revealed.indices {
                var wrong = text.revealed
                wrong[index] ^= 1
                #expect(!shapes.matches(OfferedCredential(shape: mine, text: Secret(wrong))))
            }
            for wrong in [[], Array(text.revealed.dropLast()), text.revealed + [0]] {
                #expect(!shapes.matches(OfferedCredential(shape: mine, text: Secret(wrong))))
            }
        }
    }

    @Test func aBindingMatchesUnderItsOwnKeyOnly() throws {
        let shapes = try Self.shapes()
        let input = Array("protected.payload".utf8)
        func code(_ key: [UInt8]) -> [UInt8] {
            Array(HMAC<SHA256>.authenticationCode(for: input, using: SymmetricKey(data: key)))
        }
        func matches(_ code: [UInt8], _ input: [UInt8]) -> Bool {
            shapes.matches(
                ExternalAccountBinding(
                    keyID: "AAAAAAAAAAAAAAAA", signingInput: input, authenticationCode: code))
        }
        let right = code(try #require(shapes.externalAccountKey).revealed)
        #expect(matches(right, input))
        #expect(!matches(right, input + [0]))
        #expect(!matches(Array(right.dropLast()), input))
        #expect(!matches([], input))
        #expect(!matches(code(Array(repeating: 0, count: 32)), input))
    }

    @Test func withoutItsMasterKeyACredentialMatchesNothing() throws {
        let old = try Self.shapes()
        let text = try #require(old.text(for: .est))
        let rotated = try Self.shapes(version: 1, Self.keys([1: 7, 2: 9]))
        #expect(rotated.matches(OfferedCredential(shape: .est, text: text)))
        let forgotten = try Self.shapes(version: 1, Self.keys([2: 9]))
        #expect(forgotten.text(for: .est) == nil && forgotten.externalAccountKey == nil)
        #expect(!forgotten.matches(OfferedCredential(shape: .est, text: text)))
        #expect(!forgotten.matches(OfferedCredential(shape: .est, text: Secret([]))))
    }

    @Test(arguments: [
        (String(repeating: "A", count: 48), true), (String(repeating: "A", count: 47), false),
        (String(repeating: "A", count: 49), false), ("", false), (String(repeating: "a", count: 48), false),
        (String(repeating: "1", count: 48), false), (String(repeating: "ä", count: 24), false),
    ])
    func anIDIsReadOnlyFromATextOfTheRightForm(_ text: String, _ isRight: Bool) {
        #expect((CredentialShapes.id(in: Secret(text)) != nil) == isRight)
    }
}

struct MasterKeysTests {
    @Test(arguments: [0, 1, 16, 31, 33, 64]) func aKeyHasThirtyTwoOctets(_ count: Int) {
        #expect(MasterKeys([1: Secret(Array(repeating: 7, count: count))]) == nil)
        let good = Secret(Array(repeating: 7, count: 32))
        #expect(MasterKeys([1: good, 2: Secret(Array(repeating: 7, count: count))]) == nil)
    }

    @Test func thereIsOneAtLeastAndTheNewestIsCurrent() throws {
        #expect(MasterKeys([:]) == nil)
        #expect(try CredentialShapesTests.keys([1: 1, 12: 2, 3: 3]).currentVersion == 12)
    }

    @Test func theNonceKeyIsItsOwn() throws {
        let keys = try CredentialShapesTests.keys()
        #expect(keys.nonceKey.revealed.count == 32)
        #expect(keys.nonceKey.revealed == (try CredentialShapesTests.keys().nonceKey.revealed))
        #expect(
            keys.nonceKey.revealed
                != (try #require(CredentialShapesTests.shapes().externalAccountKey).revealed))
    }

    @Test(
        arguments: [
            ([], [], true), ([1], [1], true), ([1], [2], false), ([1, 2], [1], false), ([], [0], false),
            ([0x80, 1], [0x80, 1], true), ([0x80, 1], [0, 1], false), ([1, 0x80], [1, 0], false),
        ] as [([UInt8], [UInt8], Bool)])
    func comparingInConstantTimeIsComparing(_ left: [UInt8], _ right: [UInt8], _ isEqual: Bool) {
        #expect(Secret(left).equalsInConstantTime(right) == isEqual)
        #expect(Secret(right).equalsInConstantTime(left) == isEqual)
    }

    @Test func aSecretIsNeverPrinted() throws {
        let secret = try #require(CredentialShapesTests.shapes().text(for: .est))
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped] { #expect(!text.contains("AAAA")) }
    }
}
