import EnrollmentCore
import Glibc

/// A file read a block at a time, as lines or in pieces of one length.
final class LineFile {
    /// The longest line: two bodies of 1 MiB with every octet escaped.
    static let maximumLine = 1 << 22

    let name: String
    private let descriptor: Int32
    private var block: [UInt8] = []
    private var place = 0
    private(set) var line = 0

    /// - Throws: `VerificationError.file`.
    init(directory: String, name: String) throws(VerificationError) {
        self.name = name
        descriptor = open(directory + "/" + name, O_RDONLY)
        guard descriptor >= 0 else {
            throw .file("\(directory)/\(name) cannot be opened: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// What is wrong with the line that was read last.
    func fault(_ reason: String) -> VerificationError { .malformed(name, line: line, reason) }

    /// The next line without its end; nil after the last.
    func nextLine() throws(VerificationError) -> [UInt8]? {
        line += 1
        var searched = place
        while true {
            if let end = newline(from: searched) {
                defer { place = end + 1 }
                return Array(block[place..<end])
            }
            searched = block.count - place
            guard searched <= Self.maximumLine else { throw fault("a line longer than 4 MiB") }
            guard try fill() else {
                guard place < block.count else { return nil }
                throw fault("the last line has no end: the file is cut off")
            }
        }
    }

    /// The next `count` octets; nil after the last.
    func next(_ count: Int) throws(VerificationError) -> [UInt8]? {
        while block.count - place < count {
            guard try fill() else {
                guard place < block.count else { return nil }
                throw .malformed(name, line: 1, "the file is cut off")
            }
        }
        defer { place += count }
        return Array(block[place..<place + count])
    }

    /// How many octets are left, and their digest; a block at a time.
    func rest() throws(VerificationError) -> (octets: Int64, digest: Digest) {
        var digest = RunningDigest()
        var count: Int64 = 0
        repeat {
            digest.update(Array(block.dropFirst(place)))
            count += Int64(block.count - place)
            place = block.count
        } while try fill()
        return (count, digest.digest())
    }

    /// Reads more behind what is left; false at the end.
    private func fill() throws(VerificationError) -> Bool {
        block.removeFirst(place)
        place = 0
        let kept = block.count
        var failure: Int32 = 0
        let size = 1 << 20
        block.append(contentsOf: [UInt8](repeating: 0, count: size))
        let count = block.withUnsafeMutableBytes { octets in
            octets.baseAddress.map { read(descriptor, $0 + kept, size) } ?? -1
        }
        if count < 0 { failure = errno }
        block.removeLast(size - max(0, count))
        guard count >= 0 else { throw .file("\(name) cannot be read: \(String(cString: strerror(failure)))") }
        return count > 0
    }

    private func newline(from start: Int) -> Int? {
        block.withUnsafeBytes { octets in
            guard let base = octets.baseAddress, start < octets.count,
                let found = memchr(base + start, 0x0a, octets.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
