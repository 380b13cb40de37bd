import ArgumentParser
import EnrollmentCore
import Policy
import PolicyAnalysis

extension PolicyCommand {
    /// `gatehouse policy check`
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load a bundle strictly, and find rules that permit nothing or contradict each other.",
            discussion: """
                Every fault with file, line and remedy, every finding with an example request: the base of a \
                case, which gatehouse policy explain -f takes too. Answers 3 when the bundle must not be \
                activated.
                """)

        @OptionGroup var options: Options
        @Flag(help: "Answer 1 when there are warnings.") var strict = false

        func run() throws {
            let bundle = try Stores.policyBundle(in: options.directory)
            let now = SystemClock().now()
            let reviews = bundle.reviewWarnings(at: now)
            for warning in reviews { Output.message("warning: \(warning)") }
            let findings = PolicyAnalysis(bundle: bundle, at: now).findings()
            for finding in findings { Output.message(Self.text(finding)) }
            let errors = findings.filter { $0.severity == .error }.count
            let warnings = reviews.count + findings.filter { $0.severity == .warning }.count
            print(bundle, findings, errors: errors, warnings: warnings)
            if errors > 0 { throw ExitCode(ExitStatus.invalid.rawValue) }
            if strict, warnings > 0 { throw ExitCode(ExitStatus.negative.rawValue) }
        }

        private func print(
            _ bundle: PolicyBundle, _ findings: [AnalysisFinding], errors: Int, warnings: Int
        ) {
            let counts = bundle.counts
            var members: [(String, JSONValue)] = [
                ("policy", .string(bundle.digest.description)),
                ("services", .integer(Int64(counts.services))),
                ("profiles", .integer(Int64(counts.profiles))), ("rules", .integer(Int64(counts.rules))),
                ("cases", .integer(Int64(counts.cases))), ("errors", .integer(Int64(errors))),
                ("warnings", .integer(Int64(warnings))),
            ]
            switch options.output {
            case .table, .csv: break
            case .json, .jsonl: members.append(("findings", .array(findings.map(Self.json))))
            }
            Output.print(object: members, as: options.output)
        }

        private static func text(_ finding: AnalysisFinding) -> String {
            guard let example = finding.example else { return finding.description }
            let lines = example.yaml.split(separator: "\n").map { "    " + $0 }
            return ([finding.description, "  for example:"] + lines).joined(separator: "\n")
        }

        private static func json(_ finding: AnalysisFinding) -> JSONValue {
            [
                "severity": .string(finding.severity.rawValue), "kind": .string(finding.kind.rawValue),
                "rules": .array(finding.rules.map { .string($0) }),
                "service": finding.service.map { .string($0.rawValue) } ?? .null,
                "profile": finding.profile.map { .string($0.rawValue) } ?? .null,
                "file": .string(finding.position.file), "line": .integer(Int64(finding.position.line)),
                "column": .integer(Int64(finding.position.column)), "message": .string(finding.message),
                "remedy": .string(finding.remedy),
                "example": finding.example.map { .string($0.yaml) } ?? .null,
            ]
        }
    }
}
