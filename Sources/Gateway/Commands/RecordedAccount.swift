import EnrollmentCore
import Ledger
import Policy
import PolicyReview
import Simulation

/// What the ledger tells of one decision, with what came of computing it again.
struct RecordedAccount {
    /// A bundle as the ledger has it.
    enum Bundle {
        case loaded(PolicyBundle)
        case missing
        /// A later version of the language refuses it.
        case broken
    }

    let documents: DecisionDocuments
    let account: DecisionAccount
    /// Whether nothing speaks against the record.
    let isConfirmed: Bool

    /// Nil when the ledger has no such request.
    static func read(_ id: RequestID, from ledger: PostgresLedger) async throws -> RecordedAccount? {
        guard let history = try await ledger.requestRecord(id), let request = history.document("request"),
            let decision = history.document("decision")
        else { return nil }
        let documents = DecisionDocuments(request: request, decision: decision)
        var bundle: PolicyBundle?
        let recomputation: DecisionAccount.Recomputation?
        guard documents.isByPolicy else {
            return RecordedAccount(
                documents: documents, account: DecisionAccount(documents, bundle: nil), isConfirmed: true)
        }
        switch try await Self.bundle(documents.policy, ledger) {
        case .loaded(let found):
            bundle = found
            recomputation =
                history.isRedacted
                ? .notPossible("personal values that it rested on were erased") : try verify(documents, found)
        case .missing: recomputation = .notPossible("its bundle is not on the ledger")
        case .broken: recomputation = .notPossible("its bundle does not load in this version of gatehouse")
        }
        var isConfirmed = true
        if case .different = recomputation { isConfirmed = false }
        return RecordedAccount(
            documents: documents,
            account: DecisionAccount(documents, bundle: bundle, recomputation: recomputation),
            isConfirmed: isConfirmed)
    }

    private static func verify(_ documents: DecisionDocuments, _ bundle: PolicyBundle) throws
        -> DecisionAccount.Recomputation?
    {
        let found = try Replay.verify(
            request: Array(documents.request.canonicalText.utf8),
            decision: Array(documents.decision.canonicalText.utf8), bundle: bundle)
        switch found {
        case .identical: return .identical
        case .notByPolicy: return nil
        case .different(let differences): return .different(differences.map(\.member).sorted())
        }
    }

    static func bundle(_ digest: Digest?, _ ledger: some PolicyLedger) async throws -> Bundle {
        guard let digest, let bytes = try await ledger.bundle(digest: digest),
            let files = BundleFile.files(fromCanonical: bytes)
        else { return .missing }
        do throws(PolicyLoadError) { return .loaded(try PolicyBundle(files: files)) } catch { return .broken }
    }

    static func unknown(_ id: RequestID) -> StartupError {
        StartupError(
            "the ledger has no request \(id)",
            remedy: "requests beyond the budget for unverified ones are counted only: see audit views",
            exitCode: .notFound)
    }
}
