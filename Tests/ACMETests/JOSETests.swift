import ACME
import Crypto
import EnrollmentCore
import EnrollmentTesting
import Testing

@Suite struct JOSETests {
    @Test func thumbprintOfRFC7638() throws {
        let key = try JSONWebKey([
            "kty": "RSA", "e": "AQAB", "n": .string(JOSEVectors.rfc7638Modulus), "alg": "RS256",
            "kid": "2011-04-29",
        ])
        #expect(key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        #expect(SignatureAlgorithm.rs256.fits(key))
        #expect(!SignatureAlgorithm.ps256.fits(key), "the key names its algorithm")
    }

    @Test func thumbprintOfRFC8037() throws {
        let key = try JSONWebKey([
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        ])
        #expect(key.thumbprint == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
        let signature = try #require(
            Base64.decodeURLSafe(
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg".utf8)
        )
        let input = Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
        #expect(SignatureAlgorithm.edDSA.verifies(signature, over: input, by: key))
        #expect(!SignatureAlgorithm.edDSA.verifies(signature, over: input + [0], by: key))
        #expect(!SignatureAlgorithm.es256.verifies(signature, over: input, by: key))
    }

    @Test func es256OfRFC7515() throws {
        let key = try JSONWebKey([
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        ])
        var signature = try #require(
            Base64.decodeURLSafe(
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q".utf8)
        )
        let input = Array("eyJhbGciOiJFUzI1NiJ9.\(JOSEVectors.rfc7515Payload)".utf8)
        #expect(SignatureAlgorithm.es256.verifies(signature, over: input, by: key))
        signature[40] ^= 1
        #expect(!SignatureAlgorithm.es256.verifies(signature, over: input, by: key))
        #expect(!SignatureAlgorithm.es256.verifies([], over: input, by: key))
    }

    @Test func rs256OfRFC7515AndPS256() throws {
        let key = try JSONWebKey(["kty": "RSA", "e": "AQAB", "n": .string(JOSEVectors.rfc7515Modulus)])
        let signature = try #require(Base64.decodeURLSafe(JOSEVectors.rfc7515RS256.utf8))
        let input = Array("eyJhbGciOiJSUzI1NiJ9.\(JOSEVectors.rfc7515Payload)".utf8)
        #expect(SignatureAlgorithm.rs256.verifies(signature, over: input, by: key))
        #expect(!SignatureAlgorithm.ps256.verifies(signature, over: input, by: key))

        let other = try JSONWebKey(["kty": "RSA", "e": "AQAB", "n": .string(JOSEVectors.ps256Modulus)])
        let salted = try #require(Base64.decodeURLSafe(JOSEVectors.ps256Signature.utf8))
        let content = Array("eyJhbGciOiJQUzI1NiJ9.YQ".utf8)
        #expect(SignatureAlgorithm.ps256.verifies(salted, over: content, by: other))
        #expect(!SignatureAlgorithm.rs256.verifies(salted, over: content, by: other))
    }

    @Test func largerCurves() throws {
        let content = Array("content".utf8)
        func half(_ raw: some Collection<UInt8>, _ first: Bool) -> JSONValue {
            let octets = Array(raw)
            let part = first ? octets.prefix(octets.count / 2) : octets.suffix(octets.count / 2)
            return .string(Base64.encodeURLSafe(Array(part)))
        }
        let p384 = P384.Signing.PrivateKey()
        let raw384 = Array(p384.publicKey.rawRepresentation)
        let key384 = try JSONWebKey([
            "kty": "EC", "crv": "P-384", "x": half(raw384, true), "y": half(raw384, false),
        ])
        #expect(
            SignatureAlgorithm.es384.verifies(
                Array(try p384.signature(for: content).rawRepresentation), over: content, by: key384))
        let p521 = P521.Signing.PrivateKey()
        let raw521 = Array(p521.publicKey.rawRepresentation)
        let key521 = try JSONWebKey([
            "kty": "EC", "crv": "P-521", "x": half(raw521, true), "y": half(raw521, false),
        ])
        #expect(
            SignatureAlgorithm.es512.verifies(
                Array(try p521.signature(for: content).rawRepresentation), over: content, by: key521))
        #expect(!SignatureAlgorithm.es384.fits(key521))
    }

    static let refusedKeys: [(JSONValue, JSONWebKeyError)] = {
        let modulus = JSONValue.string(JOSEVectors.rfc7515Modulus)
        let x: JSONValue = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
        var cases: [(JSONValue, JSONWebKeyError)] = []
        cases.append((["kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"], .malformed))
        cases.append((["kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"], .unacceptable))
        cases.append((["kty": "EC", "crv": "P-256", "x": x, "y": x], .unacceptable))
        cases.append((["kty": "oct", "k": "AAAA"], .malformed))
        cases.append((["kty": "RSA", "e": "AQAB", "n": "AQAB"], .unacceptable))
        cases.append((["kty": "RSA", "e": "Aw", "n": modulus], .unacceptable))
        cases.append((["kty": "RSA", "e": "AQAB"], .malformed))
        cases.append((["kty": "RSA", "e": "AQAB", "n": modulus, "d": "AQ"], .malformed))
        cases.append((["kty": "OKP", "crv": "X25519", "x": "AA"], .unacceptable))
        cases.append(([:], .malformed))
        cases.append((.null, .malformed))
        cases.append(([], .malformed))
        return cases
    }()

    @Test(arguments: refusedKeys)
    func keysRefused(_ document: JSONValue, _ expected: JSONWebKeyError) {
        #expect(throws: expected) { try JSONWebKey(document) }
    }

    @Test(arguments: [
        ("{\"a\":1,\"a\":1}", JSONReaderError.duplicateName), ("{\"a\":1,\"\\u0061\":1}", .duplicateName),
        ("{\"b\":{\"a\":1,\"a\":1}}", .duplicateName), ("", .malformed), ("{", .malformed),
        ("{}x", .malformed),
        ("[1,]", .malformed), ("{\"a\":1,}", .malformed), ("01", .malformed), ("-", .malformed),
        ("1.5", .notWhole),
        ("1e3", .notWhole), ("9223372036854775808", .notWhole), ("\"\\ud800\"", .malformed),
        ("\"\\ud800\\u0041\"", .malformed), ("\"\\x\"", .malformed), ("\"\n\"", .malformed),
        ("tru", .malformed),
        ("\"open", .malformed), ("nan", .malformed), ("\u{feff}{}", .malformed),
        (String(repeating: "[", count: 17), .tooDeep), (String(repeating: " ", count: 65_537), .tooLarge),
    ])
    func textRefused(_ text: String, _ expected: JSONReaderError) {
        #expect(throws: expected) { try JSONReader.read(Array(text.utf8)) }
    }

    @Test func textRead() throws {
        let text =
            " {\"a\": [1, -2, true, false, null], \"\\u00e9\\ud83d\\ude00\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\"} \n"
        let expected: JSONValue = [
            "a": [1, -2, true, false, nil], "é😀": "\"\\/\u{8}\u{c}\n\r\t",
        ]
        #expect(try JSONReader.read(Array(text.utf8)) == expected)
        #expect(try JSONReader.read(Array("-9223372036854775808".utf8)) == .integer(.min))
        #expect(throws: JSONReaderError.malformed) { try JSONReader.read([0x22, 0xff, 0x22]) }
    }

    @Test func noncesBelongToOneServiceAndAge() throws {
        let clock = ManualClock()
        let mint = NonceMint(key: Secret([UInt8](repeating: 1, count: 32)), random: SeededRandom())
        let service = ServiceName("laptops")
        let nonce = mint.issue(for: service, at: clock.now())
        #expect(mint.expiry(of: nonce, for: service, at: clock.now()) == clock.now().adding(seconds: 3_600))
        #expect(mint.expiry(of: nonce, for: ServiceName("servers"), at: clock.now()) == nil)
        #expect(mint.expiry(of: nonce, for: service, at: clock.now().adding(seconds: 3_599)) != nil)
        #expect(mint.expiry(of: nonce, for: service, at: clock.now().adding(seconds: 3_600)) == nil)
        #expect(mint.expiry(of: nonce, for: service, at: clock.now().adding(seconds: -61)) == nil)
        #expect(mint.expiry(of: "", for: service, at: clock.now()) == nil)
        let other = NonceMint(key: Secret([UInt8](repeating: 2, count: 32)), random: SeededRandom())
        #expect(other.expiry(of: nonce, for: service, at: clock.now()) == nil)
    }
}
