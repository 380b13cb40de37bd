package import EnrollmentCore
package import Ledger
import TransparencyLog

/// Whether stored tree heads are the roots of the stored leaves, as whoever extends the log has to make them:
/// the tree is kept, and each time only what was added is hashed.
package actor TreeCheck {
    private let log: PostgresLogReader
    /// Whose root was found right.
    private var tree = TreeBuilder()
    /// More leaves than this are not read: the tree is made from the tiles again.
    private static let most: Int64 = 10_000

    /// - Parameter log: read with any login that may read the log's tables.
    package init(_ log: PostgresLogReader) { self.log = log }

    /// Whether a stored tree head has the root of the leaves it is over.
    ///
    /// - Throws: `LedgerError` when they cannot be read.
    package func agrees(_ head: LogTreeHead) async throws(LedgerError) -> Bool {
        if let grown = try await grown(to: head.size), grown.root() == head.root {
            tree = grown
            return true
        }
        // Tiles are believed only where the leaves say nothing: at first, after very many, and when the
        // database is another than the one that was kept.
        let kept = LogTreeHead(size: tree.size, root: tree.root())
        if kept.size > 0, head.size - kept.size <= Self.most, try await log.holds(kept, within: head.size) {
            return false
        }
        do {
            let stored = try await LogTiles(log).tree(size: head.size)
            guard stored.root() == head.root else { return false }
            tree = stored
            return true
        } catch let error as LedgerError { throw error } catch { return false }
    }

    /// The tree that was kept with the leaves that follow; nil when it does not lead there.
    private func grown(to size: Int64) async throws(LedgerError) -> TreeBuilder? {
        var tree = tree
        guard tree.size <= size, size - tree.size <= Self.most else { return nil }
        while tree.size < size {
            let hashes = try await log.leafHashes(from: tree.size, count: Int(min(1_000, size - tree.size)))
            guard !hashes.isEmpty else { return nil }
            for hash in hashes { _ = tree.append(hash) }
        }
        return tree
    }
}
