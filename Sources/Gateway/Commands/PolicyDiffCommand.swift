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
                bundle is in, gatehouse policy diff main...HEAD a revision with where it branched off, \
                gatehouse policy diff main a revision with the files as they are, and gatehouse policy diff \
                OLD NEW two directories. What cannot be decided counts as widening, as does an edit of the \
                catalog that lets certificates be more, live longer or come from another issuer.
                """)

        /// What makes the command answer 1.
        enum Failure: String, ExpressibleByArgument, CaseIterable {
            /// Anything that somebody may get and could not get before.
            case widen
            /// Any decision that differs in more than its reason, and any edit that may change a certificate.
            case any
        }

        /// Whom it is printed for.
        enum Format: String, ExpressibleByArgument, CaseIterable { case text, markdown }

        @Argument(help: "FROM..TO, one revision, or two directories.") var sides: [String]
        @Option(help: "The bundle's directory in the repository.") var directory: String = "policies"
        @Option(help: "How to print data: table, json, jsonl or csv.") var output: OutputFormat = .table
        @Option(help: "text, or markdown for a pull request.") var format: Format = .text
        @Option(
            help: "Answer 1 when something is widened (widen), or a decision or certificate may differ (any)."
        )
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
            case .widen where report.widens, .any where report.differs:
                throw ExitCode(ExitStatus.negative.rawValue)
            case .widen, .any, nil: return
            }
        }

        private func bundles() throws -> (old: PolicyBundle, new: PolicyBundle) {
            if sides.count == 2 {
                for side in sides where !isDirectory(side) {
                    throw ValidationError(
                        "`\(side)` is no directory; give two directories, or revisions as one argument, "
                            + "FROM..TO, with --directory for where the bundle is")
                }
                return (try Stores.policyBundle(in: sides[0]), try Stores.policyBundle(in: sides[1]))
            }
            guard isDirectory(directory) else {
                throw StartupError(
                    "there is no directory `\(directory)` here",
                    remedy: "say where the bundle is: --directory",
                    exitCode: .notFound)
            }
            let repository = BundleRepository(directory: directory)
            guard let dots = sides[0].range(of: "...") ?? sides[0].range(of: "..") else {
                if isDirectory(sides[0]) {
                    throw ValidationError(
                        "`\(sides[0])` is a directory, and one argument is a revision; give two directories")
                }
                return (try repository.bundle(at: sides[0]), try Stores.policyBundle(in: directory))
            }
            let ends = [sides[0][..<dots.lowerBound], sides[0][dots.upperBound...]].map(String.init)
            var revisions = ends.map { $0.isEmpty ? "HEAD" : $0 }
            if sides[0][dots] == "..." { revisions[0] = try repository.branching(revisions[0], revisions[1]) }
            return (try repository.bundle(at: revisions[0]), try repository.bundle(at: revisions[1]))
        }

        private func isDirectory(_ path: String) -> Bool {
            var isDirectory = ObjCBool(false)
            return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
                && isDirectory.boolValue
        }
    }
}
