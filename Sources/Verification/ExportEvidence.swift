import EnrollmentCore
import Simulation

/// A ledger as `gatehouse ledger export --evidence` wrote it into a directory.
package final class ExportEvidence: Evidence {
    let manifest: ExportManifest
    let directory: String
    var entryCount: Int { Int(clamping: manifest.entries) }
    private(set) var checkpointCount = 0
    var hasTables: Bool { false }
    var isWithoutPrivateValues: Bool { manifest.isWithoutPrivateValues }

    private let leaves: LineFile
    private let checkpoints: LineFile
    private let entries: LineFile
    private let certificates: LineFile
    private let absences: LineFile
    private var leafCount: Int64 = 0
    /// The first leaf of the requests of each day, counted from 1970.
    private var firstLeaves: [Int64: Int64] = [:]
    private var bundles: [Digest: [UInt8]] = [:]
    /// Those that have their digest.
    private var bundlesOnRecord: Set<Digest> = []
    /// Activations, by their entries, of bundles that are not here.
    private(set) var withoutBundle: [(entry: RecordID, leaf: Int64?, digest: Digest?)] = []
    private var ahead: (entry: EvidenceEntry, values: [PrivateValue])?
    private var certificate: (request: RecordID, tbs: [UInt8], der: [UInt8]?)?

    /// Opens the files; their digests are compared by `verifyFiles`.
    ///
    /// - Throws: `VerificationError.file` when one is missing, `.malformed` when one cannot be read.
    package init(directory: String) throws(VerificationError) {
        self.directory = directory
        let octets = try LineFile.contents(directory, "manifest.json", atMost: ExportManifest.maximumLength)
        guard let manifest = ExportManifest(octets) else {
            throw .malformed("manifest.json", line: 1, "not a manifest of \(ExportManifest.format)")
        }
        self.manifest = manifest
        leaves = try Self.leaves(directory, manifest)
        checkpoints = try LineFile(directory: directory, name: "checkpoints.jsonl")
        entries = try LineFile(directory: directory, name: "entries.jsonl")
        certificates = try LineFile(directory: directory, name: "certificates.jsonl")
        absences = try LineFile(directory: directory, name: "absent.jsonl")
        let counted = try LineFile(directory: directory, name: "checkpoints.jsonl")
        while try counted.nextLine() != nil { checkpointCount += 1 }
        let policies = try LineFile(directory: directory, name: "policies.jsonl")
        while let line = try policies.nextLine() {
            guard let policy = ExportLine.policy(line) else { throw policies.fault("not a policy bundle") }
            bundles[policy.digest] = policy.bundle
            if Digest(of: policy.bundle) == policy.digest { bundlesOnRecord.insert(policy.digest) }
        }
        ahead = try nextEntry()
        certificate = try nextCertificate()
    }

    /// As long as the manifest says at most: a file with a hole in it has any length for nothing.
    private static func leaves(_ directory: String, _ manifest: ExportManifest) throws(VerificationError)
        -> LineFile
    {
        let octets = manifest.files["leaves"]?.octets ?? 0
        return try LineFile(directory: directory, name: "leaves", atMost: octets)
    }

    // MARK: Evidence

    func nextLeaf() throws(VerificationError) -> EvidenceLeaf? {
        guard let octets = try leaves.next(32), let hash = Digest(bytes: octets) else { return nil }
        defer { leafCount += 1 }
        return EvidenceLeaf(index: leafCount, name: ExportLine.name(leafCount), hash: hash)
    }

    func nextCheckpoint() throws(VerificationError) -> StoredCheckpoint? {
        guard let line = try checkpoints.nextLine() else { return nil }
        guard let checkpoint = ExportLine.checkpoint(line) else {
            throw checkpoints.fault("not a checkpoint")
        }
        return checkpoint
    }

    func nextHead() throws(VerificationError) -> StoredHead? { nil }
    func nextTile() throws(VerificationError) -> StoredTile? { nil }
    func nextWaiting() throws(VerificationError) -> WaitingEntry? { nil }

    func nextAbsent() throws(VerificationError) -> (leaf: EvidenceLeaf, entry: RecordID)? {
        guard let line = try absences.nextLine() else { return nil }
        guard let absent = ExportLine.absent(line) else { throw absences.fault("not a leaf") }
        return absent
    }

    func nextChain() throws(VerificationError) -> EvidenceChain? {
        guard let first = ahead else {
            guard certificate == nil else { throw certificates.fault(Self.isStray) }
            return nil
        }
        var chain = EvidenceChain()
        repeat {
            guard let next = ahead else { break }
            chain.entries.append(next.entry)
            chain.privateValues += next.values
            ahead = try nextEntry()
            if let following = ahead?.entry, !next.entry.precedes(following) {
                throw entries.fault("entries are not in the order of requests")
            }
        } while first.entry.request != nil && ahead?.entry.request == first.entry.request
        guard let request = first.entry.request else { return chain }
        while let signed = certificate, request >= signed.request {
            // One line for each, in the order of requests: any other was passed by, or is there twice.
            guard signed.request == request, chain.tbs == nil else { throw certificates.fault(Self.isStray) }
            (chain.tbs, chain.certificate) = (signed.tbs, signed.der)
            certificate = try nextCertificate()
        }
        return chain
    }

    private static let isStray = "no request on record has this line, or it has another"

    func bundle(_ digest: Digest) throws(VerificationError) -> [UInt8]? { bundles[digest] }

    /// An export says the index with each entry; nothing else is asked for.
    func leafIndex(ofEntry id: RecordID) throws(VerificationError) -> Int64? { nil }

    func firstLeaf(ofRequestsFrom id: RecordID) throws(VerificationError) -> Int64? {
        firstLeaves.filter { $0.key >= Self.day(of: id) }.values.min()
    }

    private static func day(of id: RecordID) -> Int64 { id.instant.seconds / 86_400 }

    func verifyOrders(_ findings: inout Findings) throws(VerificationError) {}

    func nameAlteredLeaves(_ findings: inout Findings) throws(VerificationError) {
        // Every leaf in memory: only when something is wrong.
        let hashes = try Self.leaves(directory, manifest)
        var expected: [Digest?] = []
        while let octets = try hashes.next(32) { expected.append(Digest(bytes: octets)) }
        let again = try ExportEvidence(directory: directory)
        while let chain = try again.nextChain() {
            for entry in chain.entries { Self.name(entry, &expected, &findings) }
        }
        let absent = try LineFile(directory: directory, name: "absent.jsonl")
        while let line = try absent.nextLine() {
            guard let leaf = ExportLine.absent(line)?.leaf, let index = Int(exactly: leaf.index) else {
                continue
            }
            if expected.indices.contains(index) { expected[index] = nil }
        }
        for (index, hash) in expected.enumerated() where hash != nil {
            findings.violate(.l8, "leaf \(index)", "its entry is not in the export") { Int64(index) }
        }
    }

    private func nextEntry() throws(VerificationError) -> (entry: EvidenceEntry, values: [PrivateValue])? {
        guard let line = try entries.nextLine() else { return nil }
        guard let entry = ExportLine.entry(line) else { throw entries.fault("not an entry") }
        if let request = entry.entry.request, let leaf = entry.entry.leafIndex {
            firstLeaves[Self.day(of: request), default: leaf] = min(
                leaf, firstLeaves[Self.day(of: request)] ?? leaf)
        }
        if entry.entry.kind == EntryKind.policy.rawValue { findBundle(entry.entry) }
        return entry
    }

    /// What was in force is here, whether or not anything was decided by it. A bundle that was refused never
    /// was in force.
    private func findBundle(_ entry: EvidenceEntry) {
        guard let body = try? RecordMembers(entry.body), body.text("verdict") != "refused" else { return }
        let digest = body.text("policy_sha256").flatMap { Digest($0) }
        if let digest, bundlesOnRecord.contains(digest) { return }
        withoutBundle.append((entry.id, entry.leafIndex, digest))
    }

    private func nextCertificate() throws(VerificationError)
        -> (request: RecordID, tbs: [UInt8], der: [UInt8]?)?
    {
        guard let line = try certificates.nextLine() else { return nil }
        guard let signed = ExportLine.certificate(line) else { throw certificates.fault("not a certificate") }
        return signed
    }
}
