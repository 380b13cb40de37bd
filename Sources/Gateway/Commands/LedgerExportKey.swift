import EnrollmentCore
import Foundation
import Glibc
import Ledger
import TransparencyLog

/// The key that signs manifests of exports: this host's own, made at first use, its public half recorded in
/// the ledger, so that the log vouches for it.
struct ExportKey {
    private let signer: NoteSigner

    /// Opens `secrets/export.key`, or makes it: an administrative event `export.key` has its public half,
    /// which is also in `pki/export.vkey`.
    static func open(_ stores: Stores, origin: String) async throws -> ExportKey {
        let path = "\(stores.state.secrets)/export.key"
        if FileManager.default.fileExists(atPath: path) {
            return ExportKey(signer: try read(path))
        }
        let name = "\(origin)/export"
        let signer = try NoteSigner(name: name, privateKey: Secret(SystemRandom().octets(32)))
        // Recorded first: a key that no ledger knows signs nothing.
        try await stores.ledger.append(
            AdminEvent(
                at: SystemClock().now(), actor: try stores.actor(), action: "export.key",
                target: stores.configuration.instance, reason: signer.verifierKey.text))
        let unfinished = "\(path).\(Hex.encode(SystemRandom().octets(4)))"
        try StateDirectory.writePrivate(signer.keyText.revealed + [0x0a], to: unfinished)
        try StateDirectory.giveToOwner(unfinished)
        // Whoever comes first has made it.
        try? FileManager.default.moveItem(atPath: unfinished, toPath: path)
        try? FileManager.default.removeItem(atPath: unfinished)
        let kept = try read(path)
        let published = "\(stores.state.pki)/export.vkey"
        try Data((kept.verifierKey.text + "\n").utf8).write(
            to: URL(fileURLWithPath: published), options: .atomic)
        try StateDirectory.giveToOwner(published)
        return ExportKey(signer: kept)
    }

    /// The signed note over a manifest: `<origin>/export`, its SHA-256.
    func note(over manifest: [UInt8], origin: String) throws -> String {
        let text = "\(origin)/export\n\(Digest(of: manifest))\n"
        return SignedNote(text: text, signatures: [try signer.sign(text)]).encoded
    }

    private static func read(_ path: String) throws -> NoteSigner {
        let text = try StateDirectory.readPrivate(path).split(separator: "\n").first ?? ""
        do { return try NoteSigner(parsing: Secret(String(text))) } catch {
            throw StartupError("\(path): \(error)", remedy: "restore it, or move it away for a new one")
        }
    }
}

extension StateDirectory {
    /// Gives a file that root made in a state to whom its folder belongs: the gateway does not run as root.
    fileprivate static func giveToOwner(_ path: String) throws {
        guard geteuid() == 0 else { return }
        var folder = stat()
        guard stat(URL(fileURLWithPath: path).deletingLastPathComponent().path, &folder) == 0,
            lchown(path, folder.st_uid, folder.st_gid) == 0
        else { throw StartupError("\(path) cannot be given to the state's owner", remedy: "chown it") }
    }
}

/// What an export consists of, and where it comes from.
struct ExportManifest {
    let document: JSONValue

    /// SHA-256 of the file, which the note signs.
    var digest: Digest { Digest(of: octets) }

    private var octets: [UInt8] { Array((document.canonicalText + "\n").utf8) }

    /// Writes `FILE.manifest.json` and the signed note over it.
    func write(beside path: String, _ key: ExportKey, _ origin: String) throws {
        try write(to: "\(path).manifest.json", "\(path).manifest.note", key, origin)
    }

    func write(to path: String, _ notePath: String, _ key: ExportKey, _ origin: String) throws {
        let note = try key.note(over: octets, origin: origin)
        for (path, contents) in [(path, octets), (notePath, Array(note.utf8))] {
            try StateDirectory.writePrivate(contents, to: path)
        }
    }
}

/// A folder of evidence, `gatehouse-export/1`.
struct EvidenceFolder {
    let path: String
    let key: ExportKey

    /// Writes every file from one snapshot; the folder gets its name once it is whole.
    ///
    /// - Parameter record: is told the manifest's SHA-256 before the folder gets its name.
    func write(_ export: EvidenceSnapshot?, record: (Digest) async throws -> Void) async throws {
        guard let export else { throw StartupError("the log has no checkpoint yet", remedy: "wait a second") }
        let manager = FileManager.default
        guard !manager.fileExists(atPath: path) else {
            throw StartupError("\(path) exists", remedy: "name a new folder", exitCode: .usage)
        }
        let unfinished = path + ".unfinished"
        try? manager.removeItem(atPath: unfinished)
        do {
            try manager.createDirectory(
                atPath: unfinished, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw StartupError("cannot make \(unfinished)", remedy: "free disk space or permissions") }
        // Personal values must not stay behind where nobody looks; once whole, it has another name.
        defer { try? manager.removeItem(atPath: unfinished) }
        let manifest = ExportManifest(document: [
            "format": "gatehouse-export/1", "origin": .string(export.origin),
            "tree_size": .integer(export.size), "root_sha256": .string(export.root.description),
            "entries": .integer(try export.entryCount()),
            "exported_at": .string(SystemClock().now().description),
            "files": .object(try files(of: export, in: unfinished)),
            "private": export.withPrivate ? "included" : "left out",
        ])
        try manifest.write(
            to: "\(unfinished)/manifest.json", "\(unfinished)/manifest.note", key, export.origin)
        try await record(manifest.digest)
        try manager.moveItem(atPath: unfinished, toPath: path)
    }

    /// Writes the files; returns what the manifest says of each.
    private func files(of export: EvidenceSnapshot, in folder: String) throws -> [String: JSONValue] {
        var progress = ProgressBar(total: Int(clamping: try export.entryCount()), label: "exporting")
        defer { progress.finish() }
        var files: [String: JSONValue] = [:]
        var leaves = try HashedFile(at: "\(folder)/leaves")
        try export.leaves { try leaves.write($0) }
        files["leaves"] = Self.member(try leaves.finish())
        for name in EvidenceFile.allCases {
            var file = try HashedFile(at: "\(folder)/\(name.rawValue)")
            var lines = 0
            try export.lines(of: name) { line in
                try file.write(line + "\n")
                lines += 1
                if name == .entries { progress.advance(to: lines) }
            }
            files[name.rawValue] = Self.member(try file.finish())
        }
        return files
    }

    private static func member(_ file: HashedFile.Summary) -> JSONValue {
        ["octets": .integer(file.octets), "sha256": .string(file.digest.description)]
    }
}
