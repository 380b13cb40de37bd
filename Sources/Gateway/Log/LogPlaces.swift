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

    /// The places of all generations that there are, those that the database has forgotten included.
    func existing() -> [any CheckpointPublication] {
        let numbers =
            directories.flatMap { Self.names(in: $0).compactMap { Int64($0) } }
            + appendFiles.flatMap { path in
                let file = URL(fileURLWithPath: path)
                let prefix = file.lastPathComponent + "."
                return Self.names(in: file.deletingLastPathComponent().path)
                    .filter { $0.hasPrefix(prefix) }.compactMap { Int64($0.dropFirst(prefix.count)) }
            }
        return Set(numbers.filter { $0 > 0 } + [0]).sorted().flatMap(publications)
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
}
