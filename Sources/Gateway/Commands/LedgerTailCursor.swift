import Foundation
import Glibc

/// A file that says how far `ledger tail` has shown the log: the index of the next leaf, and a line feed.
struct LedgerTailCursor {
    let path: String

    /// The index of the next leaf to show; nil when there is no file yet.
    ///
    /// - Throws: `StartupError` for a file that is no cursor, or not one of a log with so many leaves.
    func read(leaves: Int64) throws -> Int64? {
        guard let content = FileManager.default.contents(atPath: path) else {
            guard access(path, F_OK) != 0 else {
                throw StartupError("\(path) cannot be read", remedy: "run as the user that owns it")
            }
            return nil
        }
        let text = String(decoding: content.prefix(32), as: UTF8.self)
        guard let index = Int64(text.dropLast()), index >= 0, text == "\(index)\n" else {
            throw StartupError(
                "\(path) is no cursor of ledger tail",
                remedy: "name another file, or remove it to begin anew",
                exitCode: .invalid)
        }
        guard index <= leaves else {
            throw StartupError(
                "\(path) is at leaf \(index), and the log has \(leaves) leaves",
                remedy: "it is of another log, or this database is older: see gatehouse ledger verify",
                exitCode: .integrityViolation)
        }
        return index
    }

    /// Replaces the file as a whole.
    func write(_ index: Int64) throws {
        let made = FileManager.default.createFile(
            atPath: path + ".unfinished", contents: Data("\(index)\n".utf8),
            attributes: [.posixPermissions: 0o600])
        guard made, rename(path + ".unfinished", path) == 0 else {
            throw StartupError("cannot write \(path)", remedy: "free disk space or permissions")
        }
    }
}
