package import EnrollmentCore
package import Ledger
import Logging
import TransparencyLog

/// Makes the tree again from what is stored, and believes it only if everything agrees that was signed.
struct LogRecovery {
    let log: PostgresLogReader
    let origin: String
    let logger: Logger

    /// - Parameters:
    ///   - remembered: the newest tree head this process has seen.
    ///   - published: the largest checkpoints outside the database; those of another origin do not count.
    /// - Returns: the tree, its head (nil while empty), and the head again when it has no checkpoint yet.
    func recover(
        remembered: LogTreeHead?, published: [Checkpoint]
    ) async throws(Interruption) -> (TreeBuilder, newest: LogTreeHead?, unsigned: LogTreeHead?) {
        do {
            let head = try await log.latestHead()
            let size = head?.size ?? 0
            if let remembered { try await require(remembered, in: size, from: "this process") }
            for checkpoint in published where checkpoint.origin == origin && checkpoint.size > 0 {
                let published = LogTreeHead(size: checkpoint.size, root: checkpoint.root)
                try await require(published, in: size, from: "a publication")
            }
            let signed = try await signedSize(within: size)
            guard let head else { return (TreeBuilder(), nil, nil) }
            return (try await tree(under: head), head, signed < size ? head : nil)
        } catch let error as Interruption {
            throw error
        } catch let error as LedgerError {
            throw .log(.ledger(error))
        } catch {
            throw .stop(.tampered("\(error)"))
        }
    }

    private func tree(under head: LogTreeHead) async throws -> TreeBuilder {
        let tree = try await LogTiles(log).tree(size: head.size)
        guard tree.root() == head.root else {
            throw Interruption.stop(
                .tampered("its tiles do not give the root of its tree head of \(head.size) leaves"))
        }
        return tree
    }

    /// The size of the newest checkpoint, whose root is that of its tree head.
    private func signedSize(within size: Int64) async throws -> Int64 {
        guard let stored = try await log.latestCheckpoint() else { return 0 }
        let checkpoint = try SignedNote(parsing: stored.note).checkpoint()
        let head = try await log.head(size: stored.size)
        guard checkpoint.size == stored.size, stored.size <= size, checkpoint.root == head?.root else {
            throw Interruption.stop(
                .tampered("its checkpoint of \(stored.size) leaves is not that of its tree head"))
        }
        return stored.size
    }

    private func require(_ head: LogTreeHead, in size: Int64, from whom: String) async throws {
        guard try await log.holds(head, within: size) else {
            throw Interruption.stop(
                .rolledBack("of its \(size) leaves, it lacks the \(head.size) that \(whom) knows"))
        }
    }
}

extension PostgresLogReader {
    /// Whether a log of `size` leaves, as it was read before, still has a tree head that was seen of it.
    package func holds(_ seen: LogTreeHead, within size: Int64) async throws(LedgerError) -> Bool {
        guard seen.size <= size else { return false }
        return try await head(size: seen.size) == seen
    }
}
