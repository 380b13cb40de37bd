import Glibc

/// Cuts a stream of octets into batches of lines, in bounded memory.
package struct LineSplitter {
    /// The longest line kept, in octets: two ledger bodies of 1 MiB, each octet escaped. Of a longer one the
    /// rest is dropped, so that it cannot be read as a record.
    package static let maximumLine = 1 << 22

    private var pending: [UInt8] = []
    private var next = 1

    package init() {}

    /// Takes the next octets, however cut, and gives back the lines that are complete now; nil when none is.
    package mutating func append(_ octets: [UInt8]) -> RecordBatch? {
        guard let last = octets.lastIndex(of: UInt8(ascii: "\n")) else {
            keep(octets[...])
            return nil
        }
        var text = pending
        text.append(contentsOf: octets[...last])
        pending = []
        keep(octets[(last + 1)...])
        return batch(text)
    }

    /// What came after the last line's end; nil when nothing did.
    package mutating func finish() -> RecordBatch? {
        guard !pending.isEmpty else { return nil }
        defer { pending = [] }
        return batch(pending)
    }

    private mutating func keep(_ octets: ArraySlice<UInt8>) {
        pending.append(contentsOf: octets.prefix(Self.maximumLine - min(pending.count, Self.maximumLine)))
    }

    private mutating func batch(_ text: [UInt8]) -> RecordBatch {
        var lines: [Range<Int>] = []
        var start = 0
        while start < text.count {
            let end = Self.newline(in: text, from: start)
            lines.append(start..<end)
            start = end + 1
        }
        defer { next += lines.count }
        return RecordBatch(text: text, lines: lines, first: next)
    }

    /// Where the line that begins at `start` ends.
    private static func newline(in text: [UInt8], from start: Int) -> Int {
        text.withUnsafeBytes { octets in
            let rest = octets[start...]
            guard let base = octets.baseAddress,
                let found = memchr(base + start, Int32(UInt8(ascii: "\n")), rest.count)
            else { return octets.count }
            return UnsafeRawPointer(found) - base
        }
    }
}
