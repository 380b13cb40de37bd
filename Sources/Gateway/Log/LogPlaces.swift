import Foundation
import Ledger
import Sequencing
import TransparencyLog

/// Where a log is published, in each of its generations: a folder `log` goes on as `log/1`, a file
/// `checkpoints.txt` as `checkpoints.txt.1`, so that no place ever holds two histories.
struct LogPlaces: Sendable {
    let directories: [String]
    let appendFiles: [String]
    /// Whose checkpoints they hold.
    let identity: LogIdentity

    /// The places of one generation.
    func publications(_ generation: Int64) -> [any CheckpointPublication] {
        guard let key = identity.key(generation) else { return [] }
        let folders: [any CheckpointPublication] = directories.map {
            let path = generation == 0 ? $0 : "\($0)/\(generation)"
            return DirectoryPublication(name: path, folder: path, key: key)
        }
        return folders
            + appendFiles.map {
                let path = generation == 0 ? $0 : "\($0).\(generation)"
                return AppendFilePublication(name: path, path: path, key: key)
            }
    }

    /// The places of all generations that there are, those that the database has forgotten included, and why
    /// some of them may be missing.
    func existing() -> (places: [any CheckpointPublication], failures: [PublicationError]) {
        var numbers: Set<Int64> = [0]
        var failures: [PublicationError] = []
        for (folder, prefix) in directories.map({ ($0, "") }) + appendFiles.map({ Self.siblings(of: $0) }) {
            do throws(PublicationError) {
                let names = try DurableFile.names(in: folder) ?? []
                numbers.formUnion(
                    names.filter { $0.hasPrefix(prefix) }.compactMap { Int64($0.dropFirst(prefix.count)) })
            } catch { failures.append(error) }
        }
        return (numbers.filter { $0 >= 0 }.sorted().flatMap(publications), failures)
    }

    /// In which folder a file's later generations are, and how their names begin.
    private static func siblings(of path: String) -> (folder: String, prefix: String) {
        let file = URL(fileURLWithPath: path)
        return (file.deletingLastPathComponent().path, file.lastPathComponent + ".")
    }
}
