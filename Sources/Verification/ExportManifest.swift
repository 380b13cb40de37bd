import EnrollmentCore
import Simulation
import TransparencyLog

/// What an export says of itself: which files belong to it, and which tree they are of.
struct ExportManifest {
    struct File: Equatable {
        let octets: Int64
        let digest: Digest
    }

    /// Octets of a manifest and of its note; an export's own have a few thousand.
    static let maximumLength: Int64 = 1 << 20
    static let format = "gatehouse-export/1"
    static let names = [
        "absent.jsonl", "certificates.jsonl", "checkpoints.jsonl", "entries.jsonl", "leaves",
        "policies.jsonl",
    ]

    let digest: Digest
    let entries: Int64
    let treeSize: Int64
    let root: Digest
    let origin: String
    let files: [String: File]
    /// Whether it says that clear values were left out.
    let isWithoutPrivateValues: Bool

    /// Nil when it is no manifest of this format, or a file is not in it.
    init?(_ octets: [UInt8]) {
        let text = octets.last == 0x0a ? Array(octets.dropLast()) : octets
        guard let members = try? RecordMembers(text), members.text("format") == Self.format,
            let entries = members.integer("entries"), let treeSize = members.integer("tree_size"),
            (0...1 << 48).contains(entries), (0...1 << 48).contains(treeSize),
            let root = members.text("root_sha256").flatMap({ Digest($0) }),
            let origin = members.text("origin"), case .object(let listed)? = members.value("files")
        else { return nil }
        var files: [String: File] = [:]
        for (name, value) in listed {
            guard case .object(let file) = value, case .integer(let size)? = file["octets"],
                case .string(let hex)? = file["sha256"], let digest = Digest(hex)
            else { return nil }
            files[name] = File(octets: size, digest: digest)
        }
        switch members.text("private") {
        case nil, "included"?: isWithoutPrivateValues = false
        case "left out"?: isWithoutPrivateValues = true
        case .some: return nil
        }
        guard Self.names.allSatisfy({ files[$0] != nil }) else { return nil }
        self.digest = Digest(of: octets)
        self.entries = entries
        self.treeSize = treeSize
        self.root = root
        self.origin = origin
        self.files = files
    }

    /// Whether a signed note is of this manifest, by the exporter's key or, where none was given, the log's;
    /// nil when that key did not sign it.
    func isSigned(by text: String, _ options: VerificationOptions) -> Bool? {
        guard let note = try? SignedNote(parsing: text), note.text == "\(origin)/export\n\(digest)\n" else {
            return false
        }
        let key = options.exporter ?? options.log
        guard note.signatures.contains(where: { $0.name == key.name && $0.keyID == key.keyID }) else {
            return nil
        }
        return key.verify(note)
    }
}
