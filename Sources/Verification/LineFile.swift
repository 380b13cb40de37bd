import EnrollmentCore
import Glibc

/// A regular file read a block at a time, as lines or in pieces of one length: as much as there was of it
/// when it was opened, and no more.
final class LineFile {
    /// The longest line, without its end: two bodies of 1 MiB with every octet escaped.
    static let maximumLine = 1 << 22

    let name: String
    /// Octets of the whole file.
    let size: Int64
    private let descriptor: Int32
    private var unread: Int64
    private var block: [UInt8] = []
    private var place = 0
    private(set) var line = 0

    /// - Parameter limit: the octets that are read of it; a longer file ends there.
    /// - Throws: `VerificationError.file`, also for what is no regular file: that could block, or never end.
    init(directory: String, name: String, atMost limit: Int64 = .max) throws(VerificationError) {
        let path = directory + "/" + name
        let opened = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard opened >= 0 else {
            throw .file("\(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(opened)
            throw .file("\(path) is no regular file")
        }
        self.name = name
        descriptor = opened
        size = Int64(status.st_size)
        unread = min(size, limit)
    }

    /// The octets of a whole file.
    ///
    /// - Throws: `VerificationError.file`, `.malformed` when it has more than `limit` octets.
    static func contents(_ directory: String, _ name: String, atMost limit: Int64) throws(VerificationError)
        -> [UInt8]
    {
        let file = try LineFile(directory: directory, name: name)
        guard file.size <= limit else { throw .malformed(name, line: 0, "longer than \(limit) octets") }
        while try file.fill() {}
        return file.block
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
                guard end - place <= Self.maximumLine else { throw tooLong }
                defer { place = end + 1 }
                return Array(block[place..<end])
            }
            searched = block.count - place
            guard searched <= Self.maximumLine else { throw tooLong }
            guard try fill() else {
                guard place < block.count else { return nil }
                throw fault("the last line has no end: the file is cut off")
            }
        }
    }

    private var tooLong: VerificationError { fault("a line longer than 4 MiB") }

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
    func rest() throws(VerificationError) -> ExportManifest.File {
        var digest = RunningDigest()
        var count: Int64 = 0
        repeat {
            digest.update(Array(block.dropFirst(place)))
            count += Int64(block.count - place)
            place = block.count
        } while try fill()
        return ExportManifest.File(octets: count, digest: digest.digest())
    }

    /// Reads more behind what is left; false at the end.
    private func fill() throws(VerificationError) -> Bool {
        block.removeFirst(place)
        place = 0
        let kept = block.count
        var failure: Int32 = 0
        let most = Int(min(unread, 1 << 20))
        guard most > 0 else { return false }
        block.append(contentsOf: [UInt8](repeating: 0, count: most))
        let count = block.withUnsafeMutableBytes { octets in
            octets.baseAddress.map { read(descriptor, $0 + kept, most) } ?? -1
        }
        if count < 0 { failure = errno }
        block.removeLast(most - max(0, count))
        unread -= Int64(max(0, count))
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
