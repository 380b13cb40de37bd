import ArgumentParser
import EnrollmentCore
import Ledger
import Policy
import Registration

extension PolicyCommand {
    struct Activate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a bundle in force on every gateway of this database.",
            discussion: """
                The bundle is loaded, analysed and tested first; one that fails is refused, and what was in \
                force stays. Running gateways follow within seconds. A bundle that once was in force may be \
                so again.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The bundle's directory; without it, the configured one.") var directory: String?
        @Flag(help: "Load, analyse and test the bundle; change nothing.") var dryRun = false

        func run() async throws {
            let stores = try Stores.open(common)
            try await stores.ledger.checkReadiness()
            let directory = directory ?? stores.configuration.policies
            let active = await Self.active(stores)
            let activation = PolicyActivation(
                active: active, ledger: stores.ledger, clock: SystemClock(), actor: try stores.actor(),
                issuers: [AuthorityStore.issuerName], check: Stores.policyCheck)
            let candidate = PolicyCandidate(directory: directory)
            let before = active.engine.bundle
            guard !dryRun else { return try rehearse(candidate, activation, before, directory) }
            switch try await activation.propose(candidate, byName: true) {
            case .activated, .followed: report("activated", active.engine.bundle, before)
            case .unchanged: report("unchanged", before, before)
            case .superseded(_, let record):
                throw StartupError("\(record.digest) is in force", remedy: "run the command again")
            case .refused(_, let faults, _): throw Self.refused(directory, faults)
            }
        }

        /// What is in force now. A bundle that this program cannot load counts as none: activating one that
        /// it can is the way out.
        private static func active(_ stores: Stores) async -> ActivePolicy {
            guard let (bundle, record) = try? await stores.policyInForce() else { return ActivePolicy() }
            return ActivePolicy(PolicyEngine(bundle: bundle), activation: record.number)
        }

        private func rehearse(
            _ candidate: PolicyCandidate, _ activation: PolicyActivation, _ before: PolicyBundle,
            _ directory: String
        ) throws {
            do throws(PolicyLoadError) {
                report("would activate", try activation.vet(candidate), before)
            } catch {
                throw Self.refused(directory, error.diagnostics)
            }
            Output.message("nothing was changed")
        }

        private static func refused(_ directory: String, _ faults: [PolicyDiagnostic]) -> StartupError {
            StartupError(
                "the bundle in \(directory) is refused; what was in force stays:\n"
                    + PolicyLoadError(diagnostics: faults).description,
                remedy: "mend these places, then run gatehouse policy activate --dry-run \(directory)",
                exitCode: .invalid)
        }

        private func report(_ verdict: String, _ bundle: PolicyBundle, _ before: PolicyBundle) {
            let changes = Self.changes(from: before, to: bundle)
            for change in changes { Output.message(change) }
            Output.print(
                object: [
                    ("policy", .string(bundle.digest.description)),
                    ("previous", .string(before.digest.description)),
                    ("verdict", .string(bundle.digest == before.digest ? "unchanged" : verdict)),
                    ("files_changed", .integer(Int64(changes.count))),
                ], as: common.output)
        }

        /// One line for each file that was added, removed or changed, by path.
        private static func changes(from old: PolicyBundle, to new: PolicyBundle) -> [String] {
            func files(_ bundle: PolicyBundle) -> [String: [UInt8]] {
                let files = BundleFile.files(fromCanonical: bundle.canonicalBytes) ?? []
                return Dictionary(files.map { ($0.path, $0.bytes) }, uniquingKeysWith: { first, _ in first })
            }
            let (old, new) = (files(old), files(new))
            return Set(old.keys).union(new.keys).sorted().compactMap { path in
                switch (old[path], new[path]) {
                case (nil, _): "added    \(path)"
                case (_, nil): "removed  \(path)"
                case (let before, let after): before == after ? nil : "changed  \(path)"
                }
            }
        }
    }
}
