import ArgumentParser
import EnrollmentCore
import Policy
import PolicyReview

extension PolicyCommand {
    /// `gatehouse policy owners`
    struct Owners: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Who answers for what, what is due for review, and where nobody answers.",
            discussion: "Exits 1 when a review is overdue, with --strict also when there is a gap.")

        @OptionGroup var options: Options
        @Option(help: "What is to be reviewed within this time is due soon: 30d, 90d.")
        var within: String = "90d"
        @Flag(help: "Exit 1 on gaps too.")
        var strict = false

        func run() throws {
            guard within.hasSuffix("d"), let days = Int64(within.dropLast()), (0...3_650).contains(days)
            else { throw ValidationError("--within takes days, like 90d, at most 3650d") }
            let bundle = try Stores.policyBundle(in: options.directory, output: options.output)
            let report = OwnershipReport(bundle: bundle, at: SystemClock().now(), within: days * 86_400)
            let rows = report.lines.map { line in
                let members = report.teams.first { $0.name == line.owner.team }?.members ?? []
                return [
                    .string(line.kind), .string(line.name), .string(line.owner.team),
                    .string(line.owner.contact), .string(String(line.reviewBy.rfc3339.prefix(10))),
                    .string(line.state.rawValue), .string(members.joined(separator: " ")),
                ] as [JSONValue]
            }
            Output(
                columns: ["kind", "name", "team", "contact", "review_by", "state", "members"], rows: rows
            )
            .print(as: options.output)
            for gap in report.gaps { Output.message("gap: \(gap)") }
            let overdue = report.lines.count { $0.state == .overdue }
            let soon = report.lines.count { $0.state == .dueSoon }
            Output.message("\(overdue) overdue, \(soon) due within \(days)d, \(report.gaps.count) gaps")
            guard !report.isOverdue, !strict || report.gaps.isEmpty else {
                throw ExitCode(ExitStatus.negative.rawValue)
            }
        }
    }
}
