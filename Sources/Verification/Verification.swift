import EnrollmentCore
import Simulation
import TransparencyLog

/// Verifies a ledger: reads its leaves and then everything that was hashed, once each, and writes nothing.
///
/// In memory are batches of rows, the policy bundles, and of each reservation about 200 octets.
package struct Verification {
    private let options: VerificationOptions

    package init(_ options: VerificationOptions) { self.options = options }

    /// Verifies what lies in a database. Blocks its thread.
    ///
    /// - Parameter progress: told how many of how many steps are done.
    /// - Throws: `VerificationError` when it cannot be read; what is wrong with it is in the report.
    package func run(
        _ evidence: DatabaseEvidence, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(VerificationError) -> VerificationReport { try verify(evidence, progress) }

    /// Verifies what an export holds, as `run` does.
    package func run(
        _ evidence: ExportEvidence, progress: (Int, Int) -> Void = { _, _ in }
    ) throws(VerificationError) -> VerificationReport { try verify(evidence, progress) }

    func verify(_ evidence: any Evidence, _ progress: (Int, Int) -> Void) throws(VerificationError)
        -> VerificationReport
    {
        var findings = Findings()
        let entries = max(0, min(evidence.entryCount, 1 << 48))
        var trees = try TreePass(evidence, options)
        var chains = ChainPass(evidence, replay: options.replays ? ReplayCheck() : nil, now: options.now)
        // Side by side: while bodies are worked on, the server makes leaves ready. It needs a moment for the
        // first bodies.
        var hasLeaves = try trees.advance(by: 500_000, &findings)
        var hasChains = true
        while hasLeaves || hasChains {
            if hasChains { hasChains = try chains.advance(by: 1_000, &findings) }
            if hasLeaves { hasLeaves = try trees.advance(by: 1_000, &findings) }
            progress(min(chains.read, entries), entries)
        }
        try trees.finish(&findings)
        progress(entries, entries)
        var retired = try retiredMonths(trees, chains, evidence, &findings)
        try chains.finish(retired, &findings)
        try compare(trees, chains, evidence, &retired, &findings)
        if evidence.hasTables {
            try evidence.verifyOrders(&findings)
        } else {
            findings.skip(.l9, because: "an export has no tables")
            findings.skip(.l10, because: "an export has leaves only")
        }
        if let export = evidence as? ExportEvidence {
            try export.verifyFiles(options, tree: trees.tree.root(), size: trees.tree.size, &findings)
        }
        if !options.replays { findings.skip(.l12, because: "left out: --skip-replay") }
        for generation in trees.checkpoints.generations.subtracting(chains.generations).sorted() {
            findings.violate(
                .l11, "generation \(generation)", "the log's origin changed without a rollback on record")
        }
        return VerificationReport(
            lines: findings.lines.filter { $0.invariant != .manifest || !evidence.hasTables },
            treeSize: trees.tree.size, root: trees.tree.root(), entries: chains.read)
    }

    /// Leaves and bodies are the same, but for entries that wait and leaves whose entry was retired (L8,
    /// L10).
    private func compare(
        _ trees: TreePass, _ chains: ChainPass, _ evidence: any Evidence, _ retired: inout RetiredMonths,
        _ findings: inout Findings
    ) throws(VerificationError) {
        var leaves = trees.leaves
        var bodies = chains.bodies
        findings.count(.l10, chains.read)
        // When all leaves are the bodies, none of them waits and none is gone: a server has long to look.
        let isLookedFor = !evidence.hasTables || leaves != bodies
        var waiting = 0
        while isLookedFor, let entry = try evidence.nextWaiting() {
            waiting += 1
            leaves.add(entry.id.number, entry.hash)
            let age = entry.recordingTime.age(at: options.now)
            guard age > 60 else { continue }
            findings.violate(.l10, "entry \(entry.id.text)", "no leaf after \(age) s")
        }
        if waiting > 0 { findings.note(.l10, "\(waiting) waiting") }
        while isLookedFor, let (leaf, entry) = try evidence.nextAbsent() {
            bodies.add(leaf.name, leaf.hash)
            guard !retired.explains(leaf: leaf.index, entry: entry) else { continue }
            findings.violate(.l8, "entry \(entry.text)", "the leaf's entry is gone") { leaf.index }
        }
        if let summary = retired.summary { findings.note(.l8, summary) }
        for (leaf, fault) in retired.miscounts() { findings.violate(.l8, "retention", fault) { leaf } }
        guard leaves != bodies else { return }
        try evidence.nameAlteredLeaves(&findings)
        if !findings.isViolated(.l8) {
            findings.violate(.l8, "the log", "its bodies are not those that its leaves are made of")
        }
    }

    /// The months whose entries may be gone; what claims so without being fit to is a violation (L8).
    private func retiredMonths(
        _ trees: TreePass, _ chains: ChainPass, _ evidence: any Evidence, _ findings: inout Findings
    ) throws(VerificationError) -> RetiredMonths {
        var months = RetiredMonths()
        for (entry, leaf) in chains.retentions.sorted(by: { $0.leaf ?? .max < $1.leaf ?? .max }) {
            guard let leaf else {
                findings.note(
                    .l8, "a retention is no leaf yet and explains nothing: verify again in a minute")
                continue
            }
            let retirement: Retirement
            do { retirement = try Retirement(entry, leaf: leaf) } catch {
                findings.violate(.l8, entry.place, error.text) { leaf }
                continue
            }
            let bound = try evidence.firstLeaf(ofRequestsFrom: retirement.late)
            do throws(Retirement.Fault) {
                try months.add(
                    retirement, isPublished: trees.published.contains(retirement.treeSize), bound: bound)
            } catch { findings.violate(.l8, entry.place, error.text) { leaf } }
        }
        return months
    }
}
