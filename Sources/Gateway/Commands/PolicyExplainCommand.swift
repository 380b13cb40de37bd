import ArgumentParser
import EnrollmentCore
import Foundation
import Policy
import PolicyReview

extension PolicyCommand {
    /// `gatehouse policy explain`
    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A plain-English account of a decision, to be pasted into a ticket.",
            discussion:
                "Of a request written by hand (-f), judged as of now unless it says `at`, or of a "
                + "recorded one (--request), which is computed again. Exits 1 when the request is not "
                + "permitted, and 6 when a record is not what computing it again gives.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The bundle's directory, for -f.")
        var directory: String = "policies"
        @Option(name: [.short, .long], help: "A request in YAML or JSON, with the keys of a case's base.")
        var file: String?
        @Option(help: "The id of a recorded request.")
        var request: String?
        @Option(
            help: "Decide a recorded request by another bundle: a directory, or SHA-256 of a recorded one.")
        var bundle: String?

        func validate() throws {
            guard (file == nil) != (request == nil) else {
                throw ValidationError("name a request: -f FILE or --request ID")
            }
            guard bundle == nil || request != nil else {
                throw ValidationError("--bundle goes with --request; with -f name the bundle's directory")
            }
        }

        func run() async throws {
            if let request { return try await explain(recorded: RequestID.parse(request)) }
            let bundle = try Stores.policyBundle(in: directory, output: output)
            guard let file, let content = FileManager.default.contents(atPath: file) else {
                throw StartupError(
                    "\(file ?? "") cannot be read", remedy: "name a readable file", exitCode: .notFound)
            }
            let (input, question) = try load(BundleFile(path: file, bytes: Array(content)), bundle)
            try answer(
                DecisionAccount(
                    DecisionDocuments(input: input, question: question, bundle: bundle), bundle: bundle))
        }

        private func load(_ file: BundleFile, _ bundle: PolicyBundle) throws
            -> (input: PolicyInput, question: PolicyQuestion)
        {
            let now = SystemClock().now()
            do throws(PolicyLoadError) { return try IntentFile.load(file, for: bundle, at: now) } catch {
                if output != .table { Output(error.diagnostics).print(as: output) }
                throw StartupError(
                    "this request does not load:\n\(error)",
                    remedy: "its keys are those of a case's base: docs/policy-language.md",
                    exitCode: .invalid)
            }
        }

        private func explain(recorded id: RequestID) async throws {
            let ledger = try Stores.open(common).ledger
            guard let recorded = try await RecordedAccount.read(id, from: ledger) else {
                throw RecordedAccount.unknown(id)
            }
            guard let bundle else {
                guard recorded.isConfirmed else {
                    show(recorded.account)
                    throw ExitCode(ExitStatus.integrityViolation.rawValue)
                }
                return try answer(recorded.account)
            }
            let other = try await candidate(bundle, ledger)
            guard let decided = recorded.documents.decided(by: other) else {
                throw StartupError(
                    "policy was not asked about \(id), so no bundle decides it",
                    remedy: "gatehouse request why \(id)", exitCode: .negative)
            }
            try answer(
                DecisionAccount(
                    decided, bundle: other,
                    recomputation: .byAnotherBundle(recorded: recorded.documents)))
        }

        private func candidate(_ name: String, _ ledger: some PolicyLedger) async throws -> PolicyBundle {
            guard let digest = Digest(name) else { return try Stores.policyBundle(in: name, output: output) }
            switch try await RecordedAccount.bundle(digest, ledger) {
            case .loaded(let bundle): return bundle
            case .missing:
                throw StartupError(
                    "the ledger has no bundle \(digest)", remedy: "SELECT * FROM audit.policies lists them",
                    exitCode: .notFound)
            case .broken:
                throw StartupError(
                    "the bundle \(digest) does not load in this version of gatehouse",
                    remedy: "use the version that activated it", exitCode: .invalid)
            }
        }

        private var output: OutputFormat { common.output }

        private func answer(_ account: DecisionAccount) throws {
            show(account)
            guard account.isPermit else { throw ExitCode(ExitStatus.negative.rawValue) }
        }

        private func show(_ account: DecisionAccount) {
            switch common.output {
            case .table, .csv: Output.write(account.document.string(.markdown))
            case .json, .jsonl: Output.write(account.json.canonicalText + "\n")
            }
        }
    }
}
