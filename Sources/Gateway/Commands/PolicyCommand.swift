import ArgumentParser
import EnrollmentCore
import Policy

/// `gatehouse policy`
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check and test a policy bundle. Needs no gateway and no database.",
        subcommands: [Check.self, Test.self])

    struct Options: ParsableArguments {
        @Argument(help: "The bundle's directory.") var directory: String = "policies"
        @Option(name: .long, help: "How to print data: table, json, jsonl or csv.") var output: OutputFormat =
            .table
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load a bundle strictly; every fault with file, line and remedy.")

        @OptionGroup var options: Options

        func run() throws {
            let bundle = try Stores.policyBundle(in: options.directory)
            let warnings = bundle.reviewWarnings(at: SystemClock().now())
            for warning in warnings { Output.message("warning: \(warning)") }
            let counts = bundle.counts
            Output.print(
                object: [
                    ("policy", .string(bundle.digest.description)),
                    ("services", .integer(Int64(counts.services))),
                    ("profiles", .integer(Int64(counts.profiles))), ("rules", .integer(Int64(counts.rules))),
                    ("cases", .integer(Int64(counts.cases))), ("warnings", .integer(Int64(warnings.count))),
                ], as: options.output)
        }
    }

    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run the cases that stand beside the rules.")

        @OptionGroup var options: Options

        func run() throws {
            let report = PolicyTestRunner(bundle: try Stores.policyBundle(in: options.directory)).run()
            for problem in report.problems { Output.message("\(problem)") }
            for failure in report.failures {
                Output.message(
                    "\(failure.file):\(failure.line): \(failure.name)\n  expected: \(failure.expected)"
                        + "\n  actual:   \(failure.actual)")
            }
            let rows = report.results.map { result in
                [
                    .string(result.rule), .string(result.name), .string(result.passed ? "pass" : "FAIL"),
                    .string(result.actual),
                ] as [JSONValue]
            }
            Output(columns: ["rule", "case", "result", "decision"], rows: rows).print(as: options.output)
            Output.message(
                "\(report.results.count - report.failures.count) passed, \(report.failures.count) failed")
            guard report.passed else { throw ExitCode(ExitStatus.negative.rawValue) }
        }
    }
}
