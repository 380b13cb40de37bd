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

    /// - Parameter key: file of the public key of the host that exported.
    /// - Throws: `StartupError` naming what is missing, changed or not signed.
    init(manifest path: String, key: String) throws {
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
        try Self.verifySignature(folder.appendingPathComponent("manifest.note").path, manifest.digest, key)
        for (name, file) in files.sorted(by: { $0.key < $1.key }) {
            guard !name.contains("/"),
                try Self.digest(folder.appendingPathComponent(name).path) == file.sha256
            else { throw Self.unfit("\(folder.path)/\(name) is not the file that the manifest names") }
        }
    }

    /// The note over the manifest, by a key of the file.
    private static func verifySignature(_ path: String, _ digest: Digest, _ keyFile: String) throws {
        let remedy = "copy pki/export.vkey from the host that exported, and name it with --export-key"
        guard let content = FileManager.default.contents(atPath: keyFile) else {
            throw StartupError("\(keyFile) cannot be read", remedy: remedy, exitCode: .notFound)
        }
        let keys = String(decoding: content, as: UTF8.self).split(separator: "\n")
            .compactMap { try? NoteVerifierKey(parsing: String($0)) }
        guard !keys.isEmpty else {
            throw StartupError("\(keyFile) holds no public key", remedy: remedy, exitCode: .invalid)
        }
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let note = try? SignedNote(parsing: text), note.text.hasSuffix("\n\(digest)\n"),
            keys.contains(where: { $0.verify(note) })
        else { throw unfit("\(path) does not sign the manifest with the key in \(keyFile)") }
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
