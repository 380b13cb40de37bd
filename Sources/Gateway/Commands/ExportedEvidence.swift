import EnrollmentCore
import Foundation
import Ledger
import TransparencyLog

/// A folder that `ledger export --evidence` wrote, looked at before anything is taken out of the database for
/// its sake: its manifest is signed, and every file that the manifest names is there and is the one named.
struct ExportedEvidence {
    let manifest: RetentionManifest

    private struct Files: Decodable {
        struct Entry: Decodable {
            let sha256: Digest
        }
        let files: [String: Entry]
    }

    /// - Throws: `StartupError` naming what is missing, changed or not signed.
    init(manifest path: String, state: StateDirectory) throws {
        let remedy = "gatehouse ledger export --evidence DIRECTORY, then name DIRECTORY/manifest.json"
        guard let content = FileManager.default.contents(atPath: path) else {
            throw StartupError("\(path) cannot be read", remedy: remedy, exitCode: .notFound)
        }
        guard content.count <= 1_048_576, let manifest = RetentionManifest(Array(content)),
            let files = try? JSONDecoder().decode(Files.self, from: content).files
        else {
            throw StartupError(
                "\(path) is not the manifest of an evidence export", remedy: remedy, exitCode: .invalid)
        }
        self.manifest = manifest
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try Self.verifySignature(folder.appendingPathComponent("manifest.note").path, manifest.digest, state)
        for (name, file) in files.sorted(by: { $0.key < $1.key }) {
            guard !name.contains("/"),
                try Self.digest(folder.appendingPathComponent(name).path) == file.sha256
            else { throw Self.unfit("\(folder.path)/\(name) is not the file that the manifest names") }
        }
    }

    /// The note over the manifest, by this host's export key or the log's own.
    private static func verifySignature(_ path: String, _ digest: Digest, _ state: StateDirectory) throws {
        let keys = ["\(state.pki)/export.vkey", state.logKey].flatMap { file in
            ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: "\n")
                .compactMap { try? NoteVerifierKey(parsing: String($0)) }
        }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let note = try? SignedNote(parsing: text), note.text.hasSuffix("\n\(digest)\n"),
            keys.contains(where: { $0.verify(note) })
        else { throw unfit("\(path) does not sign the manifest with a key of this host") }
    }

    private static func digest(_ path: String) throws -> Digest {
        guard let file = FileHandle(forReadingAtPath: path) else { throw unfit("\(path) cannot be read") }
        var running = RunningDigest()
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty { running.update(Array(piece)) }
        return running.digest()
    }

    private static func unfit(_ what: String) -> StartupError {
        StartupError(
            what, remedy: "export again: gatehouse ledger export --evidence DIRECTORY",
            exitCode: .integrityViolation)
    }
}
