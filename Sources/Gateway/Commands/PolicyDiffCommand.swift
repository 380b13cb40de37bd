import ArgumentParser
import EnrollmentCore
import Foundation
import Policy
import PolicyAnalysis

extension PolicyCommand {
    /// `gatehouse policy diff`
    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a change of a bundle opens and closes, with an example request for each.",
            discussion: """
                gatehouse policy diff main..HEAD compares two revisions of the git repository that the \
                bundle is in, gatehouse policy diff main a revision with the files as they are, and \
                gatehouse policy diff OLD NEW two directories. What cannot be decided counts as widening.
                """)

        /// What makes the command answer 1.
        enum Failure: String, ExpressibleByArgument, CaseIterable {
            /// Anything that somebody may get and could not get before.
            case widen
            /// Any decision that differs in more than its reason.
            case any
        }

        /// Whom it is printed for.
        enum Format: String, ExpressibleByArgument, CaseIterable { case text, markdown }

        @Argument(help: "FROM..TO, one revision, or two directories.") var sides: [String]
        @Option(help: "The bundle's directory in the repository.") var directory: String = "policies"
        @Option(help: "How to print data: table, json, jsonl or csv.") var output: OutputFormat = .table
        @Option(help: "text, or markdown for a pull request.") var format: Format = .text
        @Option(help: "Answer 1 when something is widened (widen) or any decision differs (any).")
        var failOn: Failure?

        func validate() throws {
            guard (1...2).contains(sides.count) else {
                throw ValidationError("give FROM..TO, one revision, or two directories")
            }
        }

        func run() throws {
            let (old, new) = try bundles()
            let diff = PolicyDiff(from: old, to: new)
            let report = PolicyDiffText(edits: diff.edits(), changes: diff.changes())
            switch (format, output) {
            case (.markdown, _): Output.write(report.markdown)
            case (.text, .table): Output.write(report.plain)
            case (.text, .json): Output.write(report.json.canonicalText + "\n")
            case (.text, .jsonl), (.text, .csv): report.rows.print(as: output)
            }
            switch failOn {
            case .widen where report.changes.contains(where: \.widens),
                .any where report.changes.contains { $0.kind != .reasonOnly }:
                throw ExitCode(ExitStatus.negative.rawValue)
            case .widen, .any, nil: return
            }
        }

        private func bundles() throws -> (old: PolicyBundle, new: PolicyBundle) {
            if sides.count == 2 {
                return (try Stores.policyBundle(in: sides[0]), try Stores.policyBundle(in: sides[1]))
            }
            let repository = BundleRepository(directory: directory)
            guard let dots = sides[0].range(of: "..") else {
                return (try repository.bundle(at: sides[0]), try Stores.policyBundle(in: directory))
            }
            let ends = [sides[0][..<dots.lowerBound], sides[0][dots.upperBound...]].map(String.init)
            let revisions = ends.map { $0.isEmpty ? "HEAD" : $0 }
            return (try repository.bundle(at: revisions[0]), try repository.bundle(at: revisions[1]))
        }
    }
}
