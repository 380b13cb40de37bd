import EnrollmentCore
import Ledger
import Policy
import PolicyAnalysis
import Registration

extension Stores {
    /// What analysis finds wrong with a bundle that loaded; an activation takes none with a finding.
    static let policyCheck: PolicyActivation.Check = { bundle in
        PolicyAnalysis(bundle: bundle).findings().filter { $0.severity == .error }.map { finding in
            PolicyDiagnostic(
                file: finding.position.file, line: finding.position.line, column: finding.position.column,
                message: finding.message, remedy: finding.remedy)
        }
    }

    /// The bundle that the ledger says is in force, whatever the directory holds; nil before the first
    /// activation.
    ///
    /// - Throws: `StartupError` when this program cannot load it.
    func policyInForce() async throws -> (bundle: PolicyBundle, activation: PolicyActivationRecord)? {
        guard let latest = try await ledger.latestActivation() else { return nil }
        let bytes = try await ledger.bundle(digest: latest.digest)
        do throws(PolicyLoadError) {
            return (try PolicyBundle.recorded(bytes, latest.digest), latest)
        } catch {
            throw StartupError(
                "the bundle in force does not load in this program:\n\(error)",
                remedy: "activate one that does: gatehouse policy activate DIR", exitCode: .invalid)
        }
    }
}
