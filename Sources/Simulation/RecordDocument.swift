package import EnrollmentCore

/// Whole JSON documents (RFC 8259) of what is recorded: whole numbers only, no member twice.
package enum RecordDocument {
    /// The value that a text is.
    package static func read(_ bytes: [UInt8]) throws(RecordError) -> JSONValue {
        var reader = RecordReader(bytes)
        let value = try reader.document()
        try reader.finish()
        return value
    }
}
