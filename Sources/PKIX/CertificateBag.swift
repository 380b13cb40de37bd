import SwiftASN1

/// Certificates wrapped in a SignedData that nobody signed (RFC 5652 §5, RFC 8894 §3.4, RFC 7030 §4.1.3).
package enum CertificateBag {
    /// DER of a ContentInfo holding the certificates, in the order given, and nothing else.
    ///
    /// - Parameter certificates: DER of each.
    package static func certsOnly(_ certificates: [[UInt8]]) -> [UInt8] {
        // DIVERGES: unsorted, since clients exist that take the first certificate for their own.
        let signedData = DERWriter.sequence([
            DERWriter.integer(1), DERWriter.setOf([]), DERWriter.sequence([DERWriter.oid(.cmsData)]),
            DERWriter.context(0, constructed: certificates.flatMap { $0 }), DERWriter.setOf([]),
        ])
        return DERWriter.sequence([
            DERWriter.oid(.cmsSignedData), DERWriter.context(0, constructed: signedData),
        ])
    }

    /// The certificates of such a ContentInfo, in their order.
    ///
    /// - Parameter der: at most 1 MiB.
    /// - Throws: `PKIXError` for anything that is no DER SignedData, or that has a signer or content.
    package static func certificates(in der: [UInt8]) throws(PKIXError) -> [[UInt8]] {
        let place = "SignedData"
        var outer = try DERCursor(try DERReader.parse(der, atMost: 1_048_576, place), place)
        guard try DERReader.oid(try outer.required(), place) == .cmsSignedData else {
            throw .malformed(place)
        }
        var wrapper = try DERCursor(try outer.required(), .context(0), place)
        try outer.finish()
        var data = try DERCursor(try wrapper.required(), place)
        try wrapper.finish()
        _ = try DERReader.smallInteger(try data.required(), place)
        _ = try DERCursor(try data.required(), .set, place)
        var content = try DERCursor(try data.required(), place)
        guard try DERReader.oid(try content.required(), place) == .cmsData else { throw .malformed(place) }
        try content.finish()
        var certificates: [[UInt8]] = []
        if let node = data.optional(.context(0)) {
            var members = try DERCursor(node, .context(0), place)
            while let member = members.next() { certificates.append(Array(member.encodedBytes)) }
        }
        _ = data.optional(.context(1))
        try DERCursor(try data.required(), .set, place).finish()
        try data.finish()
        return certificates
    }
}
