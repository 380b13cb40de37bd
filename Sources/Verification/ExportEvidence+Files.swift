import EnrollmentCore
import Foundation
import TransparencyLog

extension ExportEvidence {
    /// Compares the files with the manifest, and the manifest with its signature and the tree.
    func verifyFiles(_ options: VerificationOptions, tree: Digest, size: Int64, _ findings: inout Findings)
        throws(VerificationError)
    {
        for name in ExportManifest.names {
            guard let listed = manifest.files[name] else { continue }
            guard let octets = FileManager.default.contents(atPath: directory + "/" + name) else {
                throw .file("\(directory)/\(name) cannot be read")
            }
            if Int64(octets.count) != listed.octets || Digest(of: Array(octets)) != listed.digest {
                findings.violate(.log, name, "not the file that the manifest names")
            }
        }
        if manifest.treeSize != size || manifest.root != tree {
            let fault = "\(manifest.treeSize) leaves, root \(manifest.root): not the tree of this export"
            findings.violate(.log, "manifest.json", fault)
        }
        let note = FileManager.default.contents(atPath: directory + "/manifest.note")
        guard let note else { return findings.note(.log, "the manifest is not signed") }
        switch manifest.isSigned(by: String(decoding: note, as: UTF8.self), options) {
        case true?: findings.note(.log, "the manifest is signed")
        case nil: findings.note(.log, "the manifest's signature is of no key that was given")
        case false?: findings.violate(.log, "manifest.note", "not a signature of this manifest")
        }
    }

    static func name(_ entry: EvidenceEntry, _ expected: inout [Digest?], _ findings: inout Findings) {
        guard let leaf = entry.leafIndex, let index = Int(exactly: leaf), expected.indices.contains(index)
        else {
            let fault = "there is no leaf \(entry.leafIndex ?? -1)"
            return findings.violate(.l8, "entry \(UUIDText.text(entry.id))", fault)
        }
        if expected[index] != MerkleHash.leaf(entry.body) {
            let fault = "its body is not what the leaf was made of, or it is there twice"
            findings.violate(.l8, "entry \(UUIDText.text(entry.id))", fault) { leaf }
        }
        expected[index] = nil
    }
}

extension EvidenceEntry {
    /// Whether this entry comes before another in an export: by request, those without one last, then by id.
    func precedes(_ other: EvidenceEntry) -> Bool {
        switch (request, other.request) {
        case (let mine?, let theirs?) where mine != theirs: return mine.lexicographicallyPrecedes(theirs)
        case (nil, .some): return false
        case (.some, nil): return true
        case (.some, .some), (nil, nil): return id.lexicographicallyPrecedes(other.id)
        }
    }
}
