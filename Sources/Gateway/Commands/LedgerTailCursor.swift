import Database
import EnrollmentCore
import Foundation
import Glibc

/// A file that says how far `ledger tail` has shown the log: the index of the next leaf, a space, the hash of
/// the leaf before it (SHA-256 of nothing where there is none), and a line feed.
///
/// After an accepted rollback the log grows again under the same indices. The hash tells that apart.
struct LedgerTailCursor {
    let path: String

    /// - Throws: `StartupError` when no file can be made there, before anything is shown.
    func checkFolder() throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard access(folder, W_OK | X_OK) == 0 else { throw StartupError.cannotWrite(path) }
    }

    /// The index of the next leaf to show; nil when there is no file yet.
    ///
    /// - Throws: `StartupError` for a file that is no cursor, or one of a log that is not this one.
    func read(on connection: Connection) throws -> Int64? {
        guard let content = FileManager.default.contents(atPath: path) else {
            guard access(path, F_OK) != 0 else {
                throw StartupError("\(path) cannot be read", remedy: "run as the user that owns it")
            }
            return nil
        }
        let text = String(decoding: content.prefix(128), as: UTF8.self)
        let words = text.dropLast().split(separator: " ")
        guard words.count == 2, let index = words.first.flatMap({ Int64($0) }), index >= 0,
            let shown = words.last.flatMap({ Digest(String($0))?.description }),
            text == Self.text(index, shown)
        else {
            throw StartupError(
                "\(path) is no cursor of ledger tail",
                remedy: "name another file, or remove it to begin anew",
                exitCode: .invalid)
        }
        guard try Self.hash(before: index, on: connection) == shown else {
            throw StartupError(
                "the log does not have what was shown up to leaf \(index), where \(path) is",
                remedy: "after an accepted rollback, leaves are new from present_size on (gatehouse ledger "
                    + "query 'SELECT generation, present_size FROM rollbacks'): remove the file and begin "
                    + "there with -n; else it is another log, or see gatehouse ledger verify",
                exitCode: .integrityViolation)
        }
        return index
    }

    /// Replaces the file as a whole.
    func write(_ index: Int64, on connection: Connection) throws {
        guard let hash = try Self.hash(before: index, on: connection) else {
            throw StartupError("leaf \(index - 1) is gone", remedy: "run gatehouse ledger verify")
        }
        let made = FileManager.default.createFile(
            atPath: path + ".unfinished", contents: Data(Self.text(index, hash).utf8),
            attributes: [.posixPermissions: 0o600])
        guard made, rename(path + ".unfinished", path) == 0 else { throw StartupError.cannotWrite(path) }
    }

    private static func text(_ index: Int64, _ hash: String) -> String { "\(index) \(hash)\n" }

    /// In lower-case hexadecimal; nil when the log has no such leaf.
    private static func hash(before index: Int64, on connection: Connection) throws -> String? {
        guard index > 0 else { return Digest(of: []).description }
        return try connection.query(leaf, [.integer(index - 1)]).first?.text(0)
    }

    private static let leaf = Statement("SELECT leaf_hash FROM audit.leaves WHERE leaf_index = $1")
}
