import SwiftASN1

/// Raw access for small structures of other targets that need no type of their own here.
package enum DERElements {
    /// The complete elements inside one SEQUENCE, each as its own DER.
    ///
    /// - Parameter der: at most 64 KiB, nothing after the SEQUENCE.
    /// - Throws: `PKIXError` when it is not strict DER of a SEQUENCE.
    package static func sequence(_ der: [UInt8]) throws(PKIXError) -> [[UInt8]] {
        var cursor = try DERCursor(try DERReader.parse(der, atMost: 65_536, "SEQUENCE"), "SEQUENCE")
        var elements: [[UInt8]] = []
        while let node = cursor.next() { elements.append(Array(node.encodedBytes)) }
        return elements
    }
}
