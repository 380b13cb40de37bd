import Database
import EnrollmentCore
import Foundation
import Glibc

/// A file that only its owner reads, hashed while it is written; it gets its name once it is whole.
struct HashedFile {
    /// What was written.
    struct Summary {
        let path: String
        let octets: Int64
        let digest: Digest
    }

    private let path: String
    private let handle: FileHandle
    private var pending: [UInt8] = []
    private var hash = RunningDigest()
    private var octets: Int64 = 0

    /// - Throws: `StartupError` when the path is taken or cannot be written.
    init(at path: String) throws {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw StartupError("\(path) exists", remedy: "name another file", exitCode: .usage)
        }
        let descriptor = open(
            path + ".unfinished", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StartupError.cannotWrite(path) }
        self.path = path
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    mutating func write(_ text: String) throws { try write(Array(text.utf8)) }

    mutating func write(_ bytes: [UInt8]) throws {
        pending += bytes
        if pending.count >= 1 << 18 { try flush() }
    }

    /// Makes the file durable and gives it its name.
    mutating func finish() throws -> Summary {
        try flush()
        guard fsync(handle.fileDescriptor) == 0, rename(path + ".unfinished", path) == 0 else {
            throw StartupError.cannotWrite(path)
        }
        return Summary(path: path, octets: octets, digest: hash.digest())
    }

    /// Takes away what was begun.
    func discard() { unlink(path + ".unfinished") }

    private mutating func flush() throws {
        hash.update(pending)
        octets += Int64(pending.count)
        do { try handle.write(contentsOf: Data(pending)) } catch { throw StartupError.cannotWrite(path) }
        pending.removeAll(keepingCapacity: true)
    }
}

/// Rows as CSV (RFC 4180) or as one JSON object a line.
struct RowEncoder {
    let format: LedgerExport.Format

    func header(_ columns: TextColumns) -> String {
        switch format {
        case .csv: return Output.csv(columns.names)
        case .jsonl: return ""
        }
    }

    func line(_ row: [String?], _ columns: TextColumns) -> String {
        switch format {
        case .csv: return Output.csv(row)
        case .jsonl:
            let values = zip(row, columns.types).map { Self.value($0, $1) }
            let members = Dictionary(zip(columns.names, values), uniquingKeysWith: { $1 })
            return JSONValue.object(members).canonicalText + "\n"
        }
    }

    /// A value by its type in pg_type: booleans, whole numbers and lists of texts as themselves, all else as
    /// the text that PostgreSQL writes.
    private static func value(_ text: String?, _ type: UInt32) -> JSONValue {
        guard let text else { return .null }
        switch type {
        case 16: return .bool(text == "t")
        case 20, 21, 23: return Int64(text).map(JSONValue.integer) ?? .string(text)
        case 1_009, 1_015, 2_951: return .array(elements(text))
        default: return .string(text)
        }
    }

    /// The elements of a one-dimensional array as PostgreSQL writes it (§8.15.6 of its manual).
    static func elements(_ text: String) -> [JSONValue] {
        var elements: [JSONValue] = []
        var (element, wasQuoted, isQuoted, isEscaped) = ("", false, false, false)
        func end() {
            elements.append(!wasQuoted && element == "NULL" ? .null : .string(element))
            (element, wasQuoted) = ("", false)
        }
        guard text.count > 2 else { return [] }
        for character in text.unicodeScalars.dropFirst().dropLast() {
            if isEscaped {
                element.unicodeScalars.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
                wasQuoted = true
            } else if character == ",", !isQuoted {
                end()
            } else {
                element.unicodeScalars.append(character)
            }
        }
        end()
        return elements
    }
}
