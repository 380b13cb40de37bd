import COpenSSL

/// A call to OpenSSL that failed, with what its error queue said.
package struct OpenSSLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What was attempted, e.g. `CMS_sign`.
    package let operation: String
    /// The queue of this thread, oldest first; the queue is empty afterwards.
    package let reasons: [String]

    /// Takes over the error queue. Call it on the thread of the failed call, before anything is awaited: the
    /// queue belongs to the thread.
    init(_ operation: String) {
        self.operation = operation
        reasons = Self.drainQueue()
    }

    package var description: String { ([operation] + reasons).joined(separator: ": ") }

    /// Empties the queue of this thread and returns it as text.
    @discardableResult
    static func drainQueue() -> [String] {
        var reasons: [String] = []
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return reasons }
            var text = [CChar](repeating: 0, count: 256)
            ERR_error_string_n(code, &text, text.count)
            reasons.append(string(of: text))
        }
    }
}

/// The text in a buffer that C terminated with zero.
func string(of buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
