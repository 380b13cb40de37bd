import COpenSSL

/// Reads DER or BER with one of OpenSSL's `d2i` functions; nil when it cannot.
func decode(
    _ octets: [UInt8],
    _ read: (UnsafeMutablePointer<UnsafePointer<UInt8>?>, Int) -> OpaquePointer?
) -> OpaquePointer? {
    octets.withUnsafeBufferPointer { buffer in
        var position = buffer.baseAddress
        return read(&position, buffer.count)
    }
}

/// Writes DER with one of OpenSSL's `i2d` functions, which is first called without room to learn the length.
func encode(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
    let length = Int(write(nil))
    guard length > 0 else { return nil }
    return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
        var position = buffer.baseAddress
        count = Int(write(&position)) == length ? length : 0
    }
}

/// Runs `body` with a memory BIO that holds `octets`.
func withMemory<Value, Failure: Error>(
    holding octets: [UInt8], _ body: (OpaquePointer) throws(Failure) -> Value
) throws(Failure) -> Value? {
    guard let memory = BIO_new(BIO_s_mem()) else { return nil }
    defer { BIO_free(memory) }
    shim_memory_ends(memory)
    if !octets.isEmpty {
        let written = octets.withUnsafeBytes { BIO_write(memory, $0.baseAddress, Int32(clamping: $0.count)) }
        guard Int(written) == octets.count else { return nil }
    }
    return try body(memory)
}

/// What has been written to a memory BIO.
func contents(of memory: OpaquePointer) -> [UInt8] {
    var start: UnsafeMutablePointer<CChar>?
    let length = shim_memory_contents(memory, &start)
    guard length > 0, let start else { return [] }
    return Array(UnsafeRawBufferPointer(start: start, count: length))
}

/// The dotted form of an object identifier.
func dotted(_ identifier: OpaquePointer?) -> String {
    guard let identifier else { return "" }
    var text = [CChar](repeating: 0, count: 128)
    let length = OBJ_obj2txt(&text, Int32(text.count), identifier, 1)
    return length > 0 && length < 128 ? string(of: text) : ""
}

/// The dotted form of the identifier inside an AlgorithmIdentifier.
func dotted(algorithm: UnsafePointer<X509_ALGOR>?) -> String {
    guard let algorithm else { return "" }
    var identifier: OpaquePointer?
    X509_ALGOR_get0(&identifier, nil, nil, algorithm)
    return dotted(identifier)
}
