import ArgumentParser
import Database
import EnrollmentCore
import Foundation
import Ledger
import Policy
import PolicyAnalysis
import Simulation

extension PolicyCommand {
    struct Simulate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a candidate bundle would have answered to the requests on the ledger.",
            discussion: """
                Replays recorded requests, with the facts of their time, and compares with what was decided \
                then: newly permitted first. Reads the database as the auditor, or an export made with
                  gatehouse ledger query --limit 100000000 --output jsonl \\
                    'SELECT request, decision FROM audit.requests' > FILE
                An export stops at --limit rows, and says so on standard error. The first line says how many \
                requests were looked at, out of how many; with --fail-on, none at all answers 1. Never \
                writes.
                """)

        /// What makes the command answer 1.
        enum Failure: String, ExpressibleByArgument, CaseIterable {
            /// Anything that somebody gets now and did not get then.
            case widen
            /// Any answer that differs in more than its reason.
            case any
        }

        @OptionGroup var common: CommonOptions
        @Option(help: "The candidate bundle's directory.") var candidate: String = "policies"
        @Option(help: "How far back on the ledger to go, e.g. 12h, 30d; 30d unless given.")
        var since: LookBack?
        @Option(help: "Read this export instead of the database; - reads standard input.")
        var from: String?
        @Option(help: "Answer with exit code 1 when the candidate widens (widen) or changes anything (any).")
        var failOn: Failure?
        @Option(help: "At most so many requests: the latest of the ledger, the first of an export.")
        var limit: Int?

        func validate() throws {
            if since != nil, from != nil {
                throw ValidationError("--since is for the database: an export is replayed whole")
            }
            if let limit, limit < 1 { throw ValidationError("--limit must be 1 or more") }
        }

        func run() async throws {
            let bundle = try Stores.policyBundle(in: candidate, output: common.output)
            let simulation = Simulation(candidate: bundle)
            let (report, scope) =
                if let from { try await replay(export: from, simulation) } else {
                    try await replayLedger(simulation)
                }
            show(report, bundle.digest, scope)
            warn(of: bundle)
            if report.unreadableCount > 0 {
                throw StartupError(
                    "\(report.unreadableCount) of \(report.total) records could not be read",
                    remedy: "make the export again, as gatehouse policy simulate --help says",
                    exitCode: .invalid)
            }
            let failed =
                switch failOn {
                case .widen: report.widened > 0 || report.replayed == 0
                case .any: report.changed > 0 || report.replayed == 0
                case nil: false
                }
            if failed { throw ExitCode(ExitStatus.negative.rawValue) }
        }

        /// What a bundle would have answered says nothing of whether it may go into force.
        private func warn(of candidate: PolicyBundle) {
            let failing = PolicyTestRunner(bundle: candidate).run()
            let failures = failing.failures.count + failing.problems.count
            let errors = PolicyAnalysis(bundle: candidate, at: SystemClock().now()).findings()
                .count { $0.severity == .error }
            let found = [
                failures > 0 ? "gatehouse policy test finds \(Self.number(failures, "fault"))" : nil,
                errors > 0 ? "gatehouse policy check finds \(Self.number(errors, "error"))" : nil,
            ].compactMap(\.self)
            guard !found.isEmpty else { return }
            Output.message(
                "warning: this candidate would not be activated: " + found.joined(separator: ", "))
        }

        private static func number(_ count: Int, _ noun: String) -> String {
            "\(count) \(noun)\(count == 1 ? "" : "s")"
        }

        // MARK: Where requests come from

        private var workers: Int { ProcessInfo.processInfo.activeProcessorCount }

        private func replayLedger(_ simulation: Simulation) async throws
            -> (SimulationReport, SimulationScope)
        {
            let span = since ?? LookBack(seconds: 30 * 86_400)
            let start = SystemClock().now().adding(seconds: -span.seconds)
            let auditor = try Stores.open(common).auditor
            let source: RecordedRequests
            do throws(DatabaseError) {
                source = try auditor.recorded(since: start.microseconds, limit: .max)
            } catch { throw Self.fault(error) }
            if source.redacted > 0 {
                Output.message(
                    "\(source.redacted) recorded requests are left out: personal values of theirs were erased"
                )
            }
            let wanted = min(source.count, limit ?? .max)
            var bar = ProgressBar(total: wanted, label: "replaying")
            defer { bar.finish() }
            var read = 0
            let report = try await simulation.run(workers: workers) {
                guard read < wanted else { return nil }
                let records: ArraySlice<RecordedRequests.Record>
                do throws(DatabaseError) { records = try source.next().prefix(wanted - read) } catch {
                    throw Self.fault(error)
                }
                guard !records.isEmpty else { return nil }
                defer { read += records.count }
                return RecordBatch(
                    records.map { .init(request: Array($0.request.utf8), decision: Array($0.decision.utf8)) },
                    first: read + 1)
            } progress: {
                bar.advance(to: $0)
            }
            return (report, SimulationScope(available: source.count, source: "since \(start.rfc3339)"))
        }

        private func replay(export path: String, _ simulation: Simulation) async throws
            -> (SimulationReport, SimulationScope)
        {
            guard let file = path == "-" ? .standardInput : FileHandle(forReadingAtPath: path) else {
                throw StartupError(
                    "the export \(path) cannot be read", remedy: "is the name right?", exitCode: .notFound)
            }
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            let size = attributes?[.size] as? Int ?? 0
            var bar = ProgressBar(total: size, label: "replaying octets")
            defer { bar.finish() }
            var splitter = LineSplitter()
            var read = 0
            var left = limit ?? .max
            let report = try await simulation.run(workers: workers) {
                while left > 0 {
                    let octets = try file.read(upToCount: 1 << 20) ?? Data()
                    read += octets.count
                    if size > 0 { bar.advance(to: read) }
                    let batch = octets.isEmpty ? splitter.finish() : splitter.append(Array(octets))
                    guard let batch = batch?.prefix(left) else {
                        if octets.isEmpty { return nil }
                        continue
                    }
                    left -= batch.count
                    return batch
                }
                return nil
            } progress: { _ in
            }
            // Of an export, only reading it to its end tells how much there is.
            let available = left > 0 ? report.total : nil
            return (report, SimulationScope(available: available, source: "of the export"))
        }

        private static func fault(_ error: DatabaseError) -> StartupError {
            let fault = StartupError(error)
            return StartupError(
                fault.problem, remedy: fault.remedy + "; an export can be replayed with --from")
        }

        // MARK: What is shown

        private func show(_ report: SimulationReport, _ candidate: Digest, _ scope: SimulationScope) {
            let lines = report.lines(candidate: candidate, of: scope)
            switch common.output {
            case .table: for line in lines { Output.write(line + "\n") }
            case .json: Output.write(report.document(candidate: candidate, of: scope).canonicalText + "\n")
            case .jsonl, .csv:
                rows(report).print(as: common.output)
                if let first = lines.first { Output.message(first) }
            }
        }

        private func rows(_ report: SimulationReport) -> Output {
            Output(
                columns: [
                    "change", "widening", "count", "owner", "reason_code", "rules", "profile", "examples",
                ],
                rows: report.groups.map { group in
                    let key = group.key
                    return [
                        .string(key.change.rawValue), .bool(key.change.isWidening),
                        .integer(Int64(group.count)), .string(key.owner), .string(key.reasonCode),
                        .string(key.ruleIDs.joined(separator: " ")), JSONValue(key.profile),
                        .string(group.examples.map(\.description).joined(separator: " ")),
                    ]
                })
        }
    }
}

/// How far back to look: a whole number of seconds, minutes, hours or days, up to ten years.
struct LookBack: ExpressibleByArgument {
    let seconds: Int64

    init(seconds: Int64) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Int64(argument.dropLast()),
            count >= 1, count <= 3_650 * 86_400 / unit
        else { return nil }
        seconds = count * unit
    }
}
