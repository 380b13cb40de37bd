import EnrollmentCore
import Foundation
import Ledger

/// Who accepted a rollback is not for the database to say: whoever sets it back may write the row as well.
///
/// An act counts where a person accepted it on this host, which `log/accepted` keeps, and wherever the log's
/// key has signed a checkpoint of its generation or a later one, which it does only where an act counts. So a
/// person acts on the host of the gateway, which records it, and on that of the key; the others follow.
extension LogAnchor {
    private var acceptedPath: String { "\(state.log)/accepted" }

    /// The recorded acts that count for nothing here.
    ///
    /// - Parameter seen: every checkpoint known, each signed by our key, and looked for in the stored log.
    /// - Throws: `StartupError` when it is not known what was accepted here.
    func unconfirmed(_ acts: [AcceptedRollback], by seen: [SeenCheckpoint]) throws -> [AcceptedRollback] {
        let signed = seen.map(\.generation).max() ?? 0
        let open = acts.filter { $0.generation > signed }
        guard !open.isEmpty else { return [] }
        let accepted = try accepted()
        return open.filter { !accepted.contains(Self.line($0)) }
    }

    /// Remembers durably that a person accepted these acts on this host.
    func confirm(_ acts: [AcceptedRollback]) throws {
        try makeFolder()
        let lines = try accepted() + acts.map(Self.line)
        try replace(acceptedPath, lines.map { $0 + "\n" }.joined())
    }

    private func accepted() throws -> [String] {
        guard FileManager.default.fileExists(atPath: acceptedPath) else { return [] }
        guard let text = try? String(contentsOfFile: acceptedPath, encoding: .utf8) else {
            throw StartupError("\(acceptedPath) cannot be read", remedy: "restore its permissions")
        }
        return text.split(separator: "\n").map(String.init)
    }

    private static func line(_ act: AcceptedRollback) -> String {
        "generation \(act.generation) lost \(act.lostSize) \(act.lostRoot) present \(act.presentSize)"
    }
}
