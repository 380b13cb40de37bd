package import EnrollmentCore
package import Policy
import Synchronization

/// How a bundle comes into force: candidate → load → analysis → embedded cases → ledger entry → atomic swap.
///
/// The ledger's latest activation is what is in force on every replica. A candidate that fails any step
/// leaves the running bundle alone, and is recorded and reported once.
package final class PolicyActivation: Sendable {
    /// What analysis finds wrong with a bundle that loaded; empty when nothing is.
    package typealias Check = @Sendable (PolicyBundle) -> [PolicyDiagnostic]

    /// The policy in force here.
    package let active: ActivePolicy
    private let ledger: any PolicyLedger
    private let clock: any WallClock
    private let actor: String
    private let issuers: Set<String>
    private let check: Check
    private let observe: @Sendable (PolicyVerdict) -> Void
    /// The number of an activation that this program cannot follow; 0 for none.
    private let unloadable = Mutex<Int64>(0)

    /// - Parameters:
    ///   - actor: who activates and refuses, as the ledger names them.
    ///   - issuers: the issuing authorities this gateway has; a service that names another is a fault.
    ///   - check: looks further than loading does; errors only, since warnings refuse nothing.
    ///   - observe: told of every verdict.
    package init(
        active: ActivePolicy, ledger: any PolicyLedger, clock: any WallClock, actor: String,
        issuers: Set<String>,
        check: @escaping Check = { _ in [] }, observe: @escaping @Sendable (PolicyVerdict) -> Void = { _ in }
    ) {
        self.active = active
        self.ledger = ledger
        self.clock = clock
        self.actor = actor
        self.issuers = issuers
        self.check = check
        self.observe = observe
    }

    /// Whether the ledger's latest activation, when last looked at, is not what is in force here.
    package var isSkewed: Bool { unloadable.withLock { $0 } > active.activation }

    /// The bundle of a candidate that may be in force.
    ///
    /// - Throws: what is wrong with it, by the first step that finds anything.
    package func vet(_ candidate: PolicyCandidate) throws(PolicyLoadError) -> PolicyBundle {
        let bundle = try PolicyBundle(files: try candidate.files.get())
        let place = candidate.place
        for faults in [foreignIssuers(bundle, in: place), check(bundle)] where !faults.isEmpty {
            throw PolicyLoadError(diagnostics: faults)
        }
        let report = PolicyTestRunner(bundle: bundle).run()
        guard report.passed else { throw PolicyLoadError(diagnostics: report.faults(in: place)) }
        return bundle
    }

    /// Takes a candidate through all steps.
    ///
    /// - Parameter byName: whether somebody asks for this very bundle, which may then be one that is
    ///   superseded: going back is deliberate.
    @discardableResult
    package func propose(_ candidate: PolicyCandidate, byName: Bool) async throws(LedgerError)
        -> PolicyVerdict
    {
        let verdict = try await judge(candidate, byName: byName)
        observe(verdict)
        return verdict
    }

    private func judge(_ candidate: PolicyCandidate, byName: Bool) async throws(LedgerError) -> PolicyVerdict
    {
        if let latest = try await ledger.latestActivation() {
            if latest.digest == candidate.digest, latest.number == active.activation {
                return .unchanged(latest)
            }
            if !byName, latest.digest != candidate.digest,
                try await ledger.isSuperseded(digest: candidate.digest, meaning: candidate.meaning)
            {
                return .superseded(candidate.digest, by: latest)
            }
        }
        let bundle: PolicyBundle
        do throws(PolicyLoadError) { bundle = try vet(candidate) } catch {
            return try await refusal(of: candidate.digest, error.diagnostics)
        }
        let result = try await ledger.activate(
            PolicyProposal(
                digest: bundle.digest, canonicalBytes: bundle.canonicalBytes, meaning: candidate.meaning,
                owner: bundle.owner.team, byName: byName, by: actor, at: clock.now()))
        switch result {
        case .activated(let record):
            swap(to: bundle, record)
            return .activated(record)
        case .unchanged(let record):
            // Another replica was quicker with the same bundle.
            return swap(to: bundle, record) ? .followed(record) : .unchanged(record)
        case .superseded(let record): return .superseded(bundle.digest, by: record)
        }
    }

    /// Puts the ledger's latest activation in force here; nil when it is already. What does not load here is
    /// refused once, and the running bundle stays.
    @discardableResult
    package func follow() async throws(LedgerError) -> PolicyVerdict? {
        guard let latest = try await ledger.latestActivation(), latest.number > active.activation,
            latest.number != unloadable.withLock({ $0 })
        else { return nil }
        let bytes = try await ledger.bundle(digest: latest.digest)
        let verdict: PolicyVerdict
        do throws(PolicyLoadError) {
            let bundle = try PolicyBundle.recorded(bytes, latest.digest)
            guard swap(to: bundle, latest) else { return nil }
            verdict = .followed(latest)
        } catch {
            verdict = try await refusal(of: latest.digest, error.diagnostics)
            unloadable.withLock { $0 = latest.number }
        }
        observe(verdict)
        return verdict
    }

    /// One look of a running gateway: follows the ledger, then proposes its directory when that has changed.
    ///
    /// - Parameters:
    ///   - hurried: judges a changed directory without waiting until nobody writes to it any more.
    ///   - instant: now.
    package func look(
        at directory: inout PolicyDirectory, hurried: Bool, at instant: ContinuousClock.Instant
    ) async throws(LedgerError) {
        try await follow()
        guard let fingerprint = directory.changed(at: instant, hurried: hurried) else { return }
        let candidate = PolicyCandidate(directory: directory.path)
        // Written to while it was read: the next look sees the rest.
        guard directory.fingerprint() == fingerprint else { return }
        if candidate.digest != active.engine.bundle.digest { try await propose(candidate, byName: false) }
        directory.judged(fingerprint, holding: candidate.digest)
    }

    /// Raises the alerts of the reviews that are overdue; returns those that nobody had raised before.
    package func reportOverdueReviews() async throws(LedgerError) -> [OverdueReviewRecord] {
        let now = clock.now()
        var raised: [OverdueReviewRecord] = []
        for review in active.engine.bundle.overdueReviews(at: now) {
            let date = String(review.reviewBy.rfc3339.prefix(10))
            let record = OverdueReviewRecord(
                subject: review.subject, reviewBy: date, owner: review.owner.team,
                detail: "\(review.subject) was to be reviewed by \(date); ask \(review.owner.team), "
                    + review.owner.contact,
                at: now)
            if try await ledger.alert(record) { raised.append(record) }
        }
        return raised
    }

    @discardableResult
    private func swap(to bundle: PolicyBundle, _ record: PolicyActivationRecord) -> Bool {
        guard record.digest == bundle.digest else { return false }
        return active.activate(PolicyEngine(bundle: bundle), as: record.number)
    }

    private func refusal(of digest: Digest, _ faults: [PolicyDiagnostic]) async throws(LedgerError)
        -> PolicyVerdict
    {
        let record = PolicyRefusalRecord(
            candidate: digest, faults: faults, owner: active.engine.bundle.owner, by: actor, at: clock.now())
        return .refused(digest, faults, isNew: try await ledger.refuse(record))
    }

    private func foreignIssuers(_ bundle: PolicyBundle, in place: String) -> [PolicyDiagnostic] {
        bundle.services.filter { !issuers.contains($0.issuer) }.map { service in
            let position = bundle.reviews.first { $0.subject == "service \(service.name)" }?.position
            return PolicyDiagnostic(
                file: position?.file ?? "catalog/services.yaml", line: position?.line ?? 0,
                column: position?.column ?? 0,
                message: "service \(service.name): this gateway has no issuer `\(service.issuer)`",
                remedy: "one of: \(issuers.sorted().joined(separator: ", ")); "
                    + "then run gatehouse policy activate --dry-run \(place)")
        }
    }
}

extension PolicyBundle {
    /// The bundle that the ledger keeps under that digest.
    ///
    /// - Parameter bytes: nil when the ledger has none.
    /// - Throws: when the bytes are missing, are not a bundle's, or do not load in this program.
    package static func recorded(_ bytes: [UInt8]?, _ digest: Digest) throws(PolicyLoadError) -> PolicyBundle
    {
        let files = bytes.flatMap { BundleFile.files(fromCanonical: $0) }
        let loaded = try files.map { files throws(PolicyLoadError) in try PolicyBundle(files: files) }
        guard let loaded, loaded.digest == digest else {
            throw PolicyLoadError(diagnostics: [
                PolicyDiagnostic(
                    file: "ledger", line: 0, column: 0, message: "no bundle is kept under \(digest)",
                    remedy: "activate one: gatehouse policy activate DIR")
            ])
        }
        return loaded
    }
}

extension PolicyReport {
    /// What keeps the bundle in that place from passing, as faults of its files.
    fileprivate func faults(in place: String) -> [PolicyDiagnostic] {
        failures.map { failure in
            PolicyDiagnostic(
                file: failure.file, line: failure.line, column: 1,
                message: "case “\(failure.name)” fails: expected \(failure.expected), got \(failure.actual)",
                remedy: "run gatehouse policy test \(place)")
        } + problems
    }
}
