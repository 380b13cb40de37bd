import ArgumentParser
import EnrollmentCore
import Foundation
import Policy
import PolicyReview

extension PolicyCommand {
    /// `gatehouse policy test`
    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the cases that stand beside the rules.")

        @OptionGroup var options: Options
        @Flag(help: "Delete or loosen each condition in turn; some case must notice.")
        var mutate = false
        @Option(help: "Write the results to this file as JUnit XML, too.")
        var junit: String?
        @Flag(help: "Print which cases put which condition to the test, instead of the cases.")
        var coverage = false

        func run() throws {
            let bundle = try Stores.policyBundle(in: options.directory, output: options.output)
            let report = PolicyTestRunner(bundle: bundle).run()
            for problem in report.problems { Output.message("\(problem)") }
            for failure in report.failures {
                Output.message(
                    "\(failure.file):\(failure.line): \(failure.name)\n  expected: \(failure.expected)"
                        + "\n  actual:   \(failure.actual)")
            }
            if coverage {
                print(PolicyCoverage(bundle: bundle, report: report))
            } else {
                print(report)
            }
            Output.message(
                "\(report.results.count - report.failures.count) passed, \(report.failures.count) failed")
            let mutation = mutate ? MutationTest(bundle: bundle).run() : nil
            if let mutation {
                for survivor in mutation.survivors { Output.message("\(survivor.complaint)") }
                Output.message(
                    "\(mutation.killed.count) mutants noticed, \(mutation.survivors.count) not noticed")
            }
            if let junit { try write(JUnitReport(report, mutation: mutation).xml, to: junit) }
            guard report.passed, mutation?.passed ?? true else {
                throw ExitCode(ExitStatus.negative.rawValue)
            }
        }

        private func print(_ report: PolicyReport) {
            let rows = report.results.map { result in
                [
                    .string(result.rule), .string(result.name), .string(result.passed ? "pass" : "FAIL"),
                    .string(result.actual),
                ] as [JSONValue]
            }
            Output(columns: ["rule", "case", "result", "decision"], rows: rows).print(as: options.output)
        }

        /// Counts in a table; in JSON the cases by name.
        private func print(_ coverage: PolicyCoverage) {
            guard options.output == .table || options.output == .csv else {
                return Output.write(coverage.json.canonicalText + "\n")
            }
            func count(_ cases: [String]) -> JSONValue { .integer(Int64(cases.count)) }
            let rows = coverage.rules.flatMap { rule in
                let carried = ["permit", "defer", "deny"].compactMap { effect in
                    rule.carried[effect].map { "\(effect) \($0.count)" }
                }
                return rule.conditions.map { line in
                    [
                        .string(rule.rule), .string(carried.joined(separator: ", ")), .string(line.text),
                        count(line.met), count(line.notMet), count(line.pending), count(line.unknown),
                    ] as [JSONValue]
                }
            }
            Output(
                columns: ["rule", "carried", "condition", "met", "not_met", "pending", "unknown"], rows: rows
            )
            .print(as: options.output)
        }

        private func write(_ text: String, to path: String) throws {
            do { try Data(text.utf8).write(to: URL(filePath: path)) } catch {
                throw StartupError(
                    "\(path) cannot be written", remedy: "does its directory exist, and may you write there?",
                    exitCode: .usage)
            }
        }
    }
}
