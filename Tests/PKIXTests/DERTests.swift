import PKIX
import Testing

struct DERTests {
    @Test(
        arguments: [
            ("1.2.840.10045.2.1", [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]),
            ("2.5.4.3", [0x55, 0x04, 0x03]), ("2.999.3", [0x88, 0x37, 0x03]),
            ("0.9.2342", [0x09, 0x92, 0x26]),
            ("1.3.101.112", [0x2b, 0x65, 0x70]),
        ] as [(String, [UInt8])])
    func objectIdentifiersRoundTrip(_ dotted: String, _ contents: [UInt8]) {
        #expect(OID(dotted)?.contents == contents)
        #expect(OID(contents: contents)?.description == dotted)
    }

    @Test(arguments: ["", "1", "3.1", "1.40", "1.2.", "1.02", "1.-2", "1.2.99999999999999999999", "a.b"])
    func otherTextIsNoObjectIdentifier(_ dotted: String) { #expect(OID(dotted) == nil) }

    @Test(arguments: [
        [], [0x80, 0x01], [0x2a, 0x80, 0x01], [0x2a, 0x86], [0x2a] + [UInt8](repeating: 0xff, count: 9) + [1],
    ])
    func otherOctetsAreNoObjectIdentifier(_ contents: [UInt8]) { #expect(OID(contents: contents) == nil) }

    @Test func lengthsAreMinimal() {
        #expect(DERWriter.octetString([UInt8](repeating: 0, count: 127)).prefix(2) == [0x04, 127])
        #expect(DERWriter.octetString([UInt8](repeating: 0, count: 128)).prefix(3) == [0x04, 0x81, 128])
        #expect(DERWriter.octetString([UInt8](repeating: 0, count: 256)).prefix(4) == [0x04, 0x82, 1, 0])
    }

    @Test(
        arguments: [
            ([], [0x02, 1, 0]), ([0, 0], [0x02, 1, 0]), ([0x7f], [0x02, 1, 0x7f]),
            ([0x80], [0x02, 2, 0, 0x80]),
            ([0, 0, 1, 0], [0x02, 2, 1, 0]),
        ] as [([UInt8], [UInt8])])
    func integersAreMinimal(_ magnitude: [UInt8], _ der: [UInt8]) {
        #expect(DERWriter.integer(magnitude: magnitude) == der)
    }

    @Test func namedBitsDropTrailingZeros() {
        #expect(DERWriter.namedBits([0, 2]) == [0x03, 2, 5, 0xa0])
        #expect(DERWriter.namedBits([8]) == [0x03, 3, 7, 0, 0x80])
        #expect(DERWriter.namedBits([]) == [0x03, 1, 0])
    }

    @Test func setsAreSorted() {
        #expect(DERWriter.setOf([[2, 1, 5], [2, 1, 4]]) == [0x31, 6, 2, 1, 4, 2, 1, 5])
    }

    @Test func elementsOfASequence() throws {
        let der = DERWriter.sequence([DERWriter.integer(5), DERWriter.null])
        #expect(try DERElements.sequence(der) == [[2, 1, 5], [5, 0]])
        #expect(throws: PKIXError.malformed("SEQUENCE")) { try DERElements.sequence(der + [0]) }
        #expect(throws: PKIXError.tooLarge) { try DERElements.sequence([UInt8](repeating: 0, count: 65_537)) }
    }

    /// Hostile nesting must neither crash nor take long.
    @Test func nestingIsBounded() {
        let octets = [UInt8](repeating: 0x30, count: 60_000)
        #expect(throws: PKIXError.self) { try X509Certificate(der: octets) }
        #expect(throws: PKIXError.self) { try X509Certificate(der: [UInt8](repeating: 0x30, count: 65_537)) }
    }
}
