import EnrollmentCore
import Glibc
import TransparencyLog

extension ExportEvidence {
    /// Compares the files with the manifest, and the manifest with its signature and the tree.
    func verifyFiles(_ options: VerificationOptions, tree: Digest, size: Int64, _ findings: inout Findings)
        throws(VerificationError)
    {
        verifyBundles(&findings)
        for name in ExportManifest.names {
            guard let listed = manifest.files[name] else { continue }
            findings.count(.manifest)
            let file = try LineFile(directory: directory, name: name)
            let found = file.size == listed.octets ? try file.rest() : nil
            if found != listed {
                findings.violate(.manifest, name, "not the file that the manifest names")
            }
        }
        if manifest.treeSize != size || manifest.root != tree {
            let fault = "\(manifest.treeSize) leaves, root \(manifest.root): not the tree of this export"
            findings.violate(.manifest, "manifest.json", fault)
        }
        guard access(directory + "/manifest.note", F_OK) == 0 else {
            if options.exporter != nil { findings.violate(.manifest, "manifest.note", "it is not there") }
            return findings.skip(.manifest, because: "it is not signed")
        }
        let note = try LineFile.contents(
            directory, "manifest.note", atMost: ExportManifest.maximumLength)
        switch manifest.isSigned(by: String(decoding: note, as: UTF8.self), options) {
        case true?: findings.note(.manifest, "signed")
        case nil where options.exporter != nil:
            findings.violate(.manifest, "manifest.note", "not signed by the key of --export-key")
        case nil:
            findings.skip(.manifest, because: "its signature is of no key that was given: --export-key")
        case false?: findings.violate(.manifest, "manifest.note", "not a signature of this manifest")
        }
    }

    /// Every bundle that was put in force is here, as its digest says.
    private func verifyBundles(_ findings: inout Findings) {
        for (entry, leaf, digest) in withoutBundle {
            let fault = "policy bundle \(digest?.description ?? "without digest") is not on record"
            findings.violate(.l12, "policy entry \(entry.text)", fault) { leaf }
        }
    }

    static func name(_ entry: EvidenceEntry, _ expected: inout [Digest?], _ findings: inout Findings) {
        guard let leaf = entry.leafIndex, let index = Int(exactly: leaf), expected.indices.contains(index)
        else {
            let fault = "there is no leaf \(entry.leafIndex ?? -1)"
            return findings.violate(.l8, "entry \(entry.id.text)", fault)
        }
        if expected[index] != MerkleHash.leaf(entry.body) {
            let fault = "its body is not what the leaf was made of, or it is there twice"
            findings.violate(.l8, "entry \(entry.id.text)", fault) { leaf }
        }
        expected[index] = nil
    }
}

extension EvidenceEntry {
    /// Whether this entry comes before another in an export: by request, those without one last, then by id.
    func precedes(_ other: EvidenceEntry) -> Bool {
        switch (request, other.request) {
        case (let mine?, let theirs?) where mine != theirs: return mine < theirs
        case (nil, .some): return false
        case (.some, nil): return true
        case (.some, .some), (nil, nil): return id < other.id
        }
    }
}
