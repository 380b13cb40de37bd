import ArgumentParser
import EnrollmentCore
import Foundation
import Glibc
import Ledger
import Policy
import Simulation

extension PolicyCommand {
    /// Measures policy in this very process and prints JSON; `scripts/bench` runs it. Hidden, since it is no
    /// part of the product's use.
    struct Bench: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Measure decisions, replay and loading on made-up bundles.", shouldDisplay: false)

        @Option(help: "Numbers of rules to decide by.") var rules: [Int] = [1, 20, 200, 10_000]
        @Option(help: "Decisions for each measurement.") var decisions: Int = 100_000
        @Option(help: "Intents to replay.") var intents: Int = 100_000
        @Option(help: "Workers that replay.") var workers: Int = 1

        /// Different requests that are asked in turn.
        private static let variety = 1_000

        func run() async throws {
            var decided: [JSONValue] = []
            for count in rules {
                for shape in PolicyBenchWorkload.Shape.allCases where count > 1 || shape == .groups {
                    decided.append(try decide(PolicyBenchWorkload(shape: shape, ruleCount: count)))
                }
            }
            let result: JSONValue = [
                "decisions": .array(decided), "simulate": try await simulate(), "activation": try activate(),
            ]
            Output.write(result.canonicalText + "\n")
        }

        // MARK: Decisions

        private func decide(_ workload: PolicyBenchWorkload) throws -> JSONValue {
            let engine = PolicyEngine(bundle: try PolicyBundle(files: workload.files()))
            let inputs = (0..<Self.variety).compactMap(workload.input)
            let traced = Self.rate(decisions) { index in
                let decision = engine.decide(inputs[index % inputs.count])
                return Self.size(decision.trace) &+ decision.ruleIDs.count
            }
            let plain = Self.rate(decisions) { engine.decide(inputs[$0 % inputs.count]).ruleIDs.count }
            let times = (0..<min(decisions, 50_000)).map { index -> Duration in
                let input = inputs[index % inputs.count]
                return ContinuousClock().measure { Self.keep(Self.size(engine.decide(input).trace)) }
            }.sorted()
            return [
                "rules": .integer(Int64(workload.ruleCount)), "spread_over": .string(workload.shape.rawValue),
                "per_second_with_trace": .integer(traced), "per_second_without_trace": .integer(plain),
                "p50_nanoseconds": .integer(Self.nanoseconds(times[times.count / 2])),
                "p99_nanoseconds": .integer(Self.nanoseconds(times[times.count * 99 / 100])),
            ]
        }

        /// How much there is of a document: work that cannot be left out when it is asked for.
        private static func size(_ value: JSONValue) -> Int {
            if case .object(let members) = value { return members.count }
            return 0
        }

        // MARK: Replay

        /// The same requests, recorded as the ledger does and replayed against a bundle whose posture may be
        /// half as old.
        private func simulate() async throws -> JSONValue {
            let workload = PolicyBenchWorkload(shape: .services, ruleCount: 200)
            let active = PolicyEngine(bundle: try PolicyBundle(files: workload.files()))
            let simulation = Simulation(
                candidate: try PolicyBundle(files: workload.files(maximumAge: 2)))
            let records = try (0..<Self.variety).compactMap { number in
                try workload.input(number).map { try Self.documents($0, number, active) }
            }
            let batch = RecordBatch(
                records.map { .init(request: Array($0.request.utf8), decision: Array($0.decision.utf8)) },
                first: 1)
            let lines = records.reduce(into: "") { text, record in
                let line: JSONValue = [
                    "request": .string(record.request), "decision": .string(record.decision),
                ]
                text += line.canonicalText + "\n"
            }
            let block = Array(lines.utf8)
            let rounds = max(1, intents / Self.variety)
            let stored = try await replay(simulation, rounds) { batch }
            var splitter = LineSplitter()
            let exported = try await replay(simulation, rounds) { splitter.append(block) }
            return [
                "intents": .integer(Int64(rounds * Self.variety)), "workers": .integer(Int64(workers)),
                "documents_per_core_second": .integer(stored.rate),
                "lines_per_core_second": .integer(exported.rate),
                "octets_per_line": .integer(Int64(block.count / Self.variety)),
                "newly_deferred": .integer(Int64(stored.report.counts[.permitToDefer] ?? 0)),
                "unreadable": .integer(
                    Int64(stored.report.unreadableCount + exported.report.unreadableCount)),
            ]
        }

        private func replay(_ simulation: Simulation, _ rounds: Int, _ batch: () -> RecordBatch?) async throws
            -> (rate: Int64, report: SimulationReport)
        {
            var left = rounds
            let start = Self.processorTime()
            let report = try await simulation.run(workers: workers) {
                guard left > 0 else { return nil }
                left -= 1
                return batch()
            } progress: { _ in
            }
            return (Self.perSecond(report.total, Self.processorTime() - start), report)
        }

        /// The documents of a request and of the decision on it, as the ledger has them.
        private static func documents(_ input: PolicyInput, _ number: Int, _ engine: PolicyEngine) throws
            -> (request: String, decision: String)
        {
            let id = RequestID(at: input.instant, random: [UInt8(truncatingIfNeeded: number)]).description
            let decision = engine.decide(input)
            var effect = "deny"
            var grant: Grant?
            switch decision.outcome {
            case .permit(let granted): (effect, grant) = ("permit", granted)
            case .defer: effect = "defer"
            case .deny: break
            }
            let digest = JSONValue.string(engine.bundle.digest.description)
            let request: JSONValue = [
                "request_id": .string(id), "kind": "enroll", "transaction_key": digest, "follows": .null,
                "received_at": .string(input.instant.description), "gateway": "gateway-1",
                "service": .string(input.service.rawValue), "protocol": "est", "operation": "enroll",
                "reference": .null, "device_id": JSONValue(input.provenDevice?.rawValue),
                "client_address": .string(input.clientAddress), "credential": .null,
                "proof_kinds": ["one_time_credential"], "public_key": digest, "request_digest": digest,
                "input": try JSONValue(encoding: input),
            ]
            let record: JSONValue = [
                "request_id": .string(id), "decided_at": .string(input.instant.description),
                "effect": .string(effect), "reason_code": .string(decision.reasonCode),
                "reason": .string(decision.reason),
                "rule_ids": .array(decision.ruleIDs.map(JSONValue.string)),
                "owner": .string(decision.owner.team), "policy_sha256": digest,
                "profile": JSONValue(grant?.profile.name.rawValue),
                "maximum_not_after": JSONValue(grant?.maximumNotAfter.description),
                "obligations": decision.obligations, "trace": decision.trace, "decided_by": "policy",
            ]
            return (request.canonicalText, record.canonicalText)
        }

        // MARK: Loading

        /// What activation does at 200 rules before its ledger entry: load the files, run the cases.
        private func activate() throws -> JSONValue {
            let workload = PolicyBenchWorkload(shape: .services, ruleCount: 200)
            let files = workload.files()
            var loads: [Duration] = []
            var cases: [Duration] = []
            var count = 0
            for _ in 0..<5 {
                let start = ContinuousClock.now
                let bundle = try PolicyBundle(files: files)
                let loaded = ContinuousClock.now
                let report = PolicyTestRunner(bundle: bundle).run()
                loads.append(loaded - start)
                cases.append(ContinuousClock.now - loaded)
                count = report.results.count - report.failures.count
            }
            return [
                "rules": 200, "cases_passed": .integer(Int64(count)),
                "load_microseconds": .integer(Self.nanoseconds(loads.sorted()[2]) / 1_000),
                "cases_microseconds": .integer(Self.nanoseconds(cases.sorted()[2]) / 1_000),
            ]
        }

        // MARK: Time

        /// What this process has used of all cores so far: what else runs on the machine is not in it.
        private static func processorTime() -> Duration {
            var time = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }

        /// How often a second `body` can be done; its results are kept from being optimised away.
        private static func rate(_ count: Int, _ body: (Int) -> Int) -> Int64 {
            var sum = 0
            for index in 0..<count / 20 { sum &+= body(index) }
            let start = ContinuousClock.now
            for index in 0..<count { sum &+= body(index) }
            let elapsed = ContinuousClock.now - start
            keep(sum)
            return perSecond(count, elapsed)
        }

        @inline(never)
        private static func keep(_ value: Int) { _ = value }

        private static func perSecond(_ count: Int, _ elapsed: Duration) -> Int64 {
            Int64(clamping: count) * 1_000_000_000 / max(1, nanoseconds(elapsed))
        }

        private static func nanoseconds(_ duration: Duration) -> Int64 {
            duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
        }
    }
}
