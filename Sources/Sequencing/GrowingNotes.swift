import Glibc
import TransparencyLog

/// The largest checkpoint in a file that only grows. Each octet is read once, and all of them again when
/// another file is in its place: whoever may append may append what is old, too, so that no part will do.
struct GrowingNotes {
    private let path: String
    private let key: NoteVerifierKey
    private var identity: [UInt64] = []
    /// How far it was read.
    private var offset = 0
    /// What follows the last empty line: not complete.
    private var rest: [UInt8] = []
    /// The last complete paragraph, if it is not one of signatures.
    private var text: String?
    private var paragraphs = 0
    /// Whether there is a carriage return anywhere: notes are read without, and our key signs none.
    private(set) var hasCarriageReturns = false
    private var found: (size: Int64, content: PublicationContent) = (0, PublicationContent())
    /// What claims to be larger than what was found, and was not verified yet.
    private var candidates: [(size: Int64, encoded: String)] = []
    /// So many are verified at once, from the largest down: of what the log wrote, only one.
    private static let batch = 100

    init(path: String, key: NoteVerifierKey) {
        self.path = path
        self.key = key
    }

    /// What the file holds, by its newest octets and all before them.
    ///
    /// - Throws: `failed` when it cannot be read; `conflict` when there is no checkpoint of our key in it,
    ///   unless it is the first one, which an interrupted write left incomplete.
    mutating func read() throws(PublicationError) -> PublicationContent {
        try readOn()
        guard found.size > 0 || offset == 0 || isInterruptedFirst else {
            throw .conflict("\(path) holds no checkpoint that \(key.name) signed")
        }
        return found.content
    }

    private mutating func readOn() throws(PublicationError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard DurableFile.isAbsent(errno) else { throw DurableFile.failure("cannot read", path) }
            self = GrowingNotes(path: path, key: key)
            return
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw DurableFile.failure("cannot read", path) }
        let identity = [UInt64(status.st_dev), UInt64(status.st_ino)]
        if identity != self.identity || Int(status.st_size) < offset {
            self = GrowingNotes(path: path, key: key)
            self.identity = identity
        }
        guard lseek(file, off_t(offset), SEEK_SET) >= 0 else {
            throw DurableFile.failure("cannot read", path)
        }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count >= 0 else { throw DurableFile.failure("cannot read", path) }
            if count == 0 { break }
            offset += count
            take(buffer.prefix(count))
        }
        settle()
    }

    private mutating func take(_ piece: ArraySlice<UInt8>) {
        let seen = rest.count
        if piece.contains(13) {
            hasCarriageReturns = true
            rest += piece.filter { $0 != 13 }
        } else {
            rest += piece
        }
        var start = 0
        for index in max(1, seen)..<max(1, seen, rest.count) where rest[index] == 10 && rest[index - 1] == 10
        {
            let paragraph = rest[start..<max(start, index - 1)].drop { $0 == 10 }
            if !paragraph.isEmpty { add(String(decoding: paragraph, as: UTF8.self)) }
            start = index + 1
        }
        // No note is longer, and what is cut is none.
        rest.removeFirst(max(start, rest.count - 2 * SignedNote.maximumOctets))
    }

    private mutating func add(_ paragraph: String) {
        paragraphs += 1
        guard paragraph.utf8.starts(with: "— ".utf8) else {
            text = paragraph
            return
        }
        if let text, let claimed = try? Checkpoint(parsing: text + "\n"), claimed.size > found.size {
            candidates.append((claimed.size, text + "\n\n" + paragraph + "\n"))
        }
        text = nil
        if candidates.count >= Self.batch { settle() }
    }

    private mutating func settle() {
        for (size, encoded) in candidates.sorted(by: { $0.size > $1.size }) {
            if let note = try? SignedNote(parsing: encoded), key.checkpoint(in: note) != nil {
                found.size = size
                found.content.largest = note
                break
            }
            found.content.addForeign("a checkpoint of \(size) leaves in \(path)")
        }
        candidates = []
    }

    private var isInterruptedFirst: Bool {
        let start = text.map { Array($0.utf8) } ?? rest
        return paragraphs <= 1 && !hasCarriageReturns && !start.isEmpty
            && start.starts(with: Array((key.name + "\n").utf8).prefix(start.count))
    }
}
