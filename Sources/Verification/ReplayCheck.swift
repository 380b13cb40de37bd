import EnrollmentCore
import Policy
import Simulation

/// Computes decisions again with the bundles that they were made by (L12).
final class ReplayCheck {
    private enum Known {
        case bundle(PolicyBundle)
        case fault(String)
    }
    private var bundles: [[UInt8]: Known] = [:]
    /// The one asked for last: mostly it is asked for again.
    private var last: (name: [UInt8], known: Known)?
    private var withoutValues = 0
    private var notByPolicy = 0

    func take(
        _ request: ReadEntry, _ decision: ReadEntry, _ values: [PrivateValue], _ pass: ChainPass,
        _ findings: inout Findings
    ) throws(VerificationError) {
        guard let asked = request.body, let decided = decision.body,
            decided.is("decided_by", Array("policy".utf8))
        else {
            notByPolicy += 1
            return
        }
        let bundle: PolicyBundle
        switch try known(decided, pass.evidence) {
        case .bundle(let loaded): bundle = loaded
        case .fault(let fault): return try pass.violate(.l12, decision, fault, &findings)
        }
        let input = asked.place("input") ?? 0..<0
        guard let askedClearly = Commitment.clear(request.commitments, in: input, values),
            let decidedClearly = Commitment.clear(decision.commitments, in: decided.bytes.indices, values)
        else {
            withoutValues += 1
            return
        }
        findings.count(.l12)
        let fault = Self.fault { () throws(RecordError) in
            try Replay.verify(
                kind: asked.text("kind"),
                input: input.isEmpty ? nil : asked.octets(at: input, replacing: askedClearly),
                decision: decided.replacing(decidedClearly), bundle: bundle)
        }
        guard let fault else { return }
        try pass.violate(.l12, decision, fault, &findings)
    }

    private static func fault(_ verify: () throws(RecordError) -> Replay.Finding) -> String? {
        do throws(RecordError) {
            switch try verify() {
            case .identical: return nil
            case .notByPolicy: return "its request cannot be decided"
            case .different(let differences):
                return "it comes out otherwise: " + differences.map(\.member).joined(separator: ", ")
            }
        } catch { return "it cannot be read: \(error)" }
    }

    private func known(_ decided: RecordMembers, _ evidence: any Evidence) throws(VerificationError) -> Known
    {
        if let last, decided.is("policy_sha256", last.name) { return last.known }
        let name = decided.octets("policy_sha256") ?? []
        let known: Known
        if let loaded = bundles[name] { known = loaded } else { known = try load(name, evidence) }
        bundles[name] = known
        last = (name, known)
        return known
    }

    private func load(_ name: [UInt8], _ evidence: any Evidence) throws(VerificationError) -> Known {
        let text = String(decoding: name, as: UTF8.self)
        guard let digest = Digest(text), let octets = try evidence.bundle(digest) else {
            return .fault("policy bundle \(text) is not on record")
        }
        guard Digest(of: octets) == digest else {
            return .fault("policy_version.bundle of \(text) is not what its digest says")
        }
        if digest == PolicyBundle.nothing.digest { return .bundle(.nothing) }
        guard let files = BundleFile.files(fromCanonical: octets),
            let bundle = try? PolicyBundle(files: files, withCases: false)
        else { return .fault("policy bundle \(text) cannot be loaded by this version") }
        guard bundle.digest == digest else { return .fault("policy bundle \(text) has another digest") }
        return .bundle(bundle)
    }

    /// - Parameter cause: why there are no values.
    func finish(because cause: String, _ findings: inout Findings) {
        if withoutValues > 0 { findings.note(.l12, "\(withoutValues) not recomputable: \(cause)") }
        if notByPolicy > 0 { findings.note(.l12, "\(notByPolicy) not taken by policy") }
    }
}
