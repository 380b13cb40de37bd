import PKIX
import Testing

struct StructureTests {
    static let info: [UInt8] = DERWriter.sequence([
        AlgorithmIdentifier(.ecPublicKey, parameters: DERWriter.oid(.p256)).der,
        DERWriter.bitString([0x04] + [UInt8](repeating: 1, count: 64)),
    ])

    static func body(
        serial: [UInt8] = [1, 2], notBefore: Int64 = 0, notAfter: Int64 = 2_524_608_000,
        extensions: [CertificateExtension] = [.endEntity, .keyUsage([.digitalSignature])]
    ) throws -> TBSCertificate {
        TBSCertificate(
            serialNumber: serial, signatureAlgorithm: AlgorithmIdentifier(.ecdsaWithSHA256),
            issuer: DistinguishedName(attributes: [NameAttribute(.commonName, "CA")]), notBefore: notBefore,
            notAfter: notAfter, subject: DistinguishedName(attributes: [NameAttribute(.countryName, "DE")]),
            subjectPublicKeyInfo: try SubjectPublicKeyInfo(der: info), extensions: extensions)
    }

    static func certificate(_ body: TBSCertificate) -> [UInt8] {
        X509Certificate.assemble(
            tbsCertificate: body.der, signatureAlgorithm: body.signatureAlgorithm, signature: [1, 2, 3])
    }

    @Test func whatIsWrittenIsRead() throws {
        let body = try Self.body()
        let read = try X509Certificate(der: Self.certificate(body))
        #expect(read.toBeSigned == body)
        #expect(read.signature == [1, 2, 3])
        #expect(read.serialNumber == [1, 2])
        #expect(try read.subject.attributes.map { try $0.text() } == ["DE"])
        #expect(read.subjectPublicKeyInfo.namedCurve == .p256)
        #expect(try read.extension(.keyUsage)?.keyUsage() == [.digitalSignature])
        #expect(try read.extension(.basicConstraints)?.basicConstraints().isCA == false)
    }

    @Test(
        arguments: [
            (0, "700101000000Z", 0x17), (2_524_607_999, "491231235959Z", 0x17),
            (2_524_608_000, "20500101000000Z", 0x18), (-631_152_000, "500101000000Z", 0x17),
            (1_582_934_400, "200229000000Z", 0x17), (253_402_300_799, "99991231235959Z", 0x18),
            (Int64.max, "99991231235959Z", 0x18),
        ] as [(Int64, String, UInt8)])
    func timesSwitchIn2050(_ seconds: Int64, _ text: String, _ tag: UInt8) throws {
        let body = try Self.body(notAfter: seconds)
        let element = DERWriter.element(tag, Array(text.utf8))
        let elements = try DERElements.sequence(try DERElements.sequence(body.der)[4])
        #expect(elements.last == element)
        #expect(try TBSCertificate(der: body.der).notAfter == min(seconds, 253_402_300_799))
    }

    @Test(arguments: [
        "7001010000Z", "700101000000+0000", "700229000000Z", "701301000000Z", "700101240000Z",
        "7001010000000",
        "70010100000aZ", "",
    ])
    func otherTimesAreMalformed(_ text: String) throws {
        var parts = try DERElements.sequence(try Self.body().der)
        let times = try DERElements.sequence(parts[4])
        parts[4] = DERWriter.sequence([DERWriter.element(0x17, Array(text.utf8)), times[1]])
        let der = DERWriter.sequence(parts)
        #expect(throws: PKIXError.malformed("notBefore")) { try TBSCertificate(der: der) }
    }

    @Test(arguments: [[0xff], [0x00], [UInt8](repeating: 0x7f, count: 21)])
    func oddSerialsAreReadLenientlyOnly(_ serial: [UInt8]) throws {
        var parts = try DERElements.sequence(try Self.body().der)
        parts[1] = DERWriter.element(0x02, serial)
        let der = DERWriter.sequence([
            DERWriter.sequence(parts), AlgorithmIdentifier(.ecdsaWithSHA256).der, DERWriter.bitString([1]),
        ])
        #expect(throws: PKIXError.malformed("serialNumber")) { try X509Certificate(der: der) }
        #expect(try X509Certificate(der: der, rules: .lenientSerial).serialNumber == serial)
    }

    @Test func innerAndOuterAlgorithmMustAgree() throws {
        let der = X509Certificate.assemble(
            tbsCertificate: try Self.body().der, signatureAlgorithm: AlgorithmIdentifier(.ecdsaWithSHA384),
            signature: [1])
        #expect(throws: PKIXError.malformed("signatureAlgorithm")) { try X509Certificate(der: der) }
    }

    @Test func duplicateExtensionsAreMalformed() throws {
        let der = Self.certificate(try Self.body(extensions: [.endEntity, .endEntity]))
        #expect(throws: PKIXError.malformed("extensions: duplicate extension")) {
            try X509Certificate(der: der)
        }
    }

    @Test func damagedCertificatesNeverCrash() throws {
        let der = Self.certificate(try Self.body())
        for length in 0..<der.count {
            #expect(throws: PKIXError.self) { try X509Certificate(der: Array(der.prefix(length))) }
        }
        for index in der.indices {
            for bit in 0..<8 {
                var changed = der
                changed[index] ^= 1 << UInt8(bit)
                _ = try? X509Certificate(der: changed)
                _ = try? CertificationRequest(der: changed)
            }
        }
    }

    @Test func bagsKeepOrder() throws {
        let certificates = try [2, 1].map { Self.certificate(try Self.body(serial: [UInt8($0)])) }
        #expect(try CertificateBag.certificates(in: CertificateBag.certsOnly(certificates)) == certificates)
        #expect(try CertificateBag.certificates(in: CertificateBag.certsOnly([])) == [])
        #expect(throws: PKIXError.self) { try CertificateBag.certificates(in: certificates[0]) }
    }

    @Test func pemRoundTrips() throws {
        let der = [UInt8](repeating: 7, count: 100)
        let text = PEM.encode(label: "CERTIFICATE", der: der)
        #expect(text.hasPrefix("-----BEGIN CERTIFICATE-----\n"))
        #expect(text.hasSuffix("-----END CERTIFICATE-----\n"))
        #expect(text.split(separator: "\n").allSatisfy { $0.utf8.count <= 64 })
        let both = PEM.encode(label: "PRIVATE KEY", der: [1]) + text + text
        #expect(try PEM.decode(both, label: "CERTIFICATE") == [der, der])
        #expect(throws: PKIXError.self) { try PEM.decode(text, label: "X509 CRL") }
        #expect(throws: PKIXError.self) { try PEM.decode(String(text.dropLast(20)), label: "CERTIFICATE") }
    }

    @Test func generalNamesRoundTrip() throws {
        let names: [GeneralName] = [
            .dns("a.example"), .email("a@b.example"), .uri("urn:x"), .ip([192, 0, 2, 1]),
            .userPrincipalName("a@b.example"),
            .other(kind: "registeredID", der: DERWriter.context(8, primitive: [0x2a])),
        ]
        let found = CertificateExtension.subjectAlternativeName(names, isCritical: true)
        #expect(try found.subjectAlternativeName() == names)
        #expect(found.isCritical)
    }

    @Test func authorityExtensions() throws {
        let found = CertificateExtension.certificateAuthority(pathLength: 0)
        #expect(try found.basicConstraints() == BasicConstraints(isCA: true, pathLength: 0))
        #expect(try CertificateExtension.authorityKeyIdentifier([1]).authorityKeyIdentifier() == [1])
        #expect(try CertificateExtension.subjectKeyIdentifier([1]).subjectKeyIdentifier() == [1])
        let purposes: [OID] = [.serverAuthentication, .anyExtendedKeyUsage]
        #expect(try CertificateExtension.extendedKeyUsage(purposes).extendedKeyUsage() == purposes)
    }
}
