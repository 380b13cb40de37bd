import ArgumentParser
import Policy

/// `gatehouse policy`
struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Check, test, read and try out a policy bundle.",
        subcommands: [
            Check.self,
            Test.self,
            Diff.self,
            Explain.self,
            Render.self,
            Format.self,
            Owners.self,
            Schema.self,
            Activate.self,
            Simulate.self,
            Bench.self,
        ])

    /// What every subcommand that reads one bundle takes.
    struct Options: ParsableArguments {
        @Argument(help: "The bundle's directory.")
        var directory: String = "policies"

        @Option(name: .long, help: "How to print data: table, json, jsonl or csv.")
        var output: OutputFormat = .table
    }
}
