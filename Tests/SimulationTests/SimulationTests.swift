import EnrollmentCore
import Foundation
import Testing

@testable import Policy
@testable import Simulation

struct SimulationTests {
    static let rule = "rules/corp-laptop-client-auth.yaml"

    static func report(
        _ inputs: [PolicyInput], was: PolicyBundle, candidate: PolicyBundle, kind: String = "enroll"
    )
        throws -> SimulationReport
    {
        let documents = try inputs.enumerated().map {
            try Recorded(id: $0, kind: kind).documents($1, by: was)
        }
        return Simulation(candidate: candidate).replay(RecordBatch(documents, first: 1))
    }

    static func stale(hours: Int64) throws -> PolicyInput {
        try Recorded.laptop {
            $0.device?.posture[0].observedAt = $0.instant.adding(seconds: -hours * 3_600)
        }
    }

    static func foreign() throws -> PolicyInput { try Recorded.laptop { $0.device?.groups = ["servers"] } }

    @Test("the bundle that decided changes nothing, whatever the question")
    func unchanged() throws {
        let bundle = try Recorded.bundle()
        for (question, kind) in [
            (PolicyQuestion.request, "enroll"), (.inquiry, "assess"), (.account, "bind"),
        ] {
            let inputs = bundle.cases.filter { $0.question == question }.map(\.input)
            let report = try Self.report(inputs, was: bundle, candidate: bundle, kind: kind)
            #expect(!inputs.isEmpty && report.counts == [.unchanged: inputs.count], "\(report.groups)")
        }
    }

    @Test("each way to change is told apart")
    func changes() throws {
        let starter = try Recorded.bundle()
        let older = try Recorded.bundle(editing: Self.rule, "max_age: 4h", "max_age: 8h")
        let shorter = try Recorded.bundle(editing: Self.rule, "at_most: 90d", "at_most: 30d")
        let nameless = try Recorded.bundle(editing: Self.rule, "  san: { dns: [\"{device.dns}\"] }\n", "")
        let open = try Recorded.bundle(
            editing: Self.rule, "device.group: corp-laptops", "device.group: [corp-laptops, servers]")
        let plain = try Recorded.laptop { $0.request.names.dns = [] }
        let table: [(PolicyInput, PolicyBundle, PolicyBundle, Change)] = [
            (try Self.foreign(), starter, open, .denyToPermit),
            (try Self.foreign(), open, starter, .permitToDeny),
            (try Self.stale(hours: 5), starter, older, .otherReason),
            (plain, starter, shorter, .shorterValidity),
            (plain, shorter, starter, .longerValidity),
            (plain, starter, nameless, .narrowerCertificate),
            (plain, nameless, starter, .widerCertificate),
        ]
        for (input, was, candidate, change) in table {
            let report = try Self.report([input], was: was, candidate: candidate)
            #expect(report.counts == [change: 1])
            #expect(report.widened == (change.isWidening ? 1 : 0))
        }
    }

    @Test("a fact that the jailbreak rule does not look at defers and permits")
    func deferral() throws {
        let starter = try Recorded.bundle()
        let older = try Recorded.bundle(editing: Self.rule, "max_age: 4h", "max_age: 8h")
        // Two sources: the jailbreak rule is content with the second, the rule for laptops asks the first.
        let input = try Recorded.laptop {
            $0.device?.posture[0].observedAt = $0.instant.adding(seconds: -5 * 3_600)
            $0.device?.posture.append(
                PostureFact(source: "jamf", status: .compliant, jailbroken: false, observedAt: $0.instant))
        }
        #expect(try Self.report([input], was: starter, candidate: older).counts == [.deferToPermit: 1])
        #expect(try Self.report([input], was: older, candidate: starter).counts == [.permitToDefer: 1])
        let closed = try Recorded.bundle(
            editing: Self.rule, "device.group: corp-laptops", "device.group: servers")
        let denied = try Self.report([Self.stale(hours: 5)], was: starter, candidate: closed)
        #expect(denied.counts == [.deferToDeny: 1])
        #expect(
            try Self.report([Self.stale(hours: 5)], was: closed, candidate: starter).counts == [
                .denyToDefer: 1
            ])
    }

    @Test("a service that is gone denies")
    func serviceGone() throws {
        var input = try Recorded.laptop()
        let starter = try Recorded.bundle()
        var documents = try Recorded().documents(input, by: starter)
        input.service = ServiceName("gone")
        documents = .init(
            request: try Recorded().documents(input, by: starter).request, decision: documents.decision)
        let report = Simulation(candidate: starter).replay(RecordBatch([documents], first: 1))
        #expect(report.counts == [.permitToDeny: 1])
        #expect(report.groups.first?.key.reasonCode == "service.unknown")
    }

    @Test("groups name owner, rule, profile, validity and the first examples")
    func groups() throws {
        let starter = try Recorded.bundle()
        let shorter = try Recorded.bundle(editing: Self.rule, "at_most: 90d", "at_most: 30d")
        let inputs = try (0..<9).map { _ in try Recorded.laptop() }
        let group = try #require(try Self.report(inputs, was: starter, candidate: shorter).groups.first)
        #expect(group.key.owner == "Device Identity" && group.key.ruleIDs == ["corp-laptop-client-auth"])
        #expect(group.key.profile == "client-auth" && group.count == 9)
        #expect(group.recordedValidity == 7_776_000...7_776_000)
        #expect(group.candidateValidity == 2_592_000...2_592_000)
        #expect(group.examples == (0..<5).map { Recorded(id: $0).requestID })
    }

    @Test("what policy did not decide is counted, not replayed")
    func notByPolicy() throws {
        let starter = try Recorded.bundle()
        let refused = Recorded(id: 1, kind: "refusal", decidedBy: .registration)
        let stopped = Recorded(id: 2, kind: "enroll", decidedBy: .issuance)
        let decision = PolicyEngine(bundle: starter).decide(try Recorded.laptop())
        let batch = RecordBatch(
            [
                .init(
                    request: Array(try refused.request(nil).canonicalText.utf8),
                    decision: Array(refused.decision(decision).canonicalText.utf8)),
                .init(
                    request: Array(try stopped.request(Recorded.laptop()).canonicalText.utf8),
                    decision: Array(stopped.decision(decision).canonicalText.utf8)),
            ], first: 1)
        let report = Simulation(candidate: starter).replay(batch)
        #expect(report.notByPolicy == [.registration: 1, .issuance: 1])
        #expect(report.replayed == 0 && report.total == 2 && report.unreadableCount == 0)
    }

    @Test("neither order nor batches nor workers matter")
    func order() async throws {
        let starter = try Recorded.bundle()
        let candidate = try Recorded.bundle(editing: Self.rule, "at_most: 90d", "at_most: 30d")
        let kinds = try [Recorded.laptop(), Self.stale(hours: 5), Self.foreign()]
        var records = try (0..<60).map { try Recorded(id: $0).documents(kinds[$0 % 3], by: starter) }
        let simulation = Simulation(candidate: candidate)
        let whole = simulation.replay(RecordBatch(records, first: 1))
        #expect(whole.groups.count == 1 && whole.counts[.shorterValidity] == 20)
        var chance = Chance(state: 3)
        for size in [1, 7, 60] {
            records.shuffle(using: &chance)
            var rest = records[...]
            var seen: [Int] = []
            let report = try await simulation.run(workers: 3) {
                defer { rest = rest.dropFirst(size) }
                return rest.isEmpty ? nil : RecordBatch(Array(rest.prefix(size)), first: 1)
            } progress: {
                seen.append($0)
            }
            #expect(report == whole && seen.last == 60 && seen == seen.sorted())
            let scope = SimulationScope(available: 60, source: "")
            #expect(
                report.lines(candidate: candidate.digest, of: scope)
                    == whole.lines(candidate: candidate.digest, of: scope))
        }
    }

    @Test(
        "a report says how much it looked at",
        arguments: [
            (2, 12, "2 of 12 recorded requests since then, candidate "),
            (1, 12, "1 of 12 recorded requests since then, candidate "),
            (1, 1, "1 recorded request since then, candidate "),
            (2, 2, "2 recorded requests since then, candidate "),
            (2, nil, "the first 2 recorded requests since then, candidate "),
            (1, nil, "the first recorded request since then, candidate "),
            (0, 0, "0 recorded requests since then: nothing was compared"),
        ] as [(Int, Int?, String)])
    func extent(count: Int, available: Int?, words: String) throws {
        let starter = try Recorded.bundle()
        let records = [try Recorded.laptop(), try Recorded.laptop()].prefix(count)
        let report = try Self.report(Array(records), was: starter, candidate: starter)
        let lines = report.lines(
            candidate: starter.digest, of: SimulationScope(available: available, source: "since then"))
        #expect(lines.first?.hasPrefix(words) == true, "\(lines)")
    }

    @Test("a report reads from what opens to what closes")
    func text() throws {
        let starter = try Recorded.bundle()
        let open = try Recorded.bundle(
            editing: Self.rule, "device.group: corp-laptops", "device.group: servers")
        let report = try Self.report([Recorded.laptop(), Self.foreign()], was: starter, candidate: open)
        let scope = SimulationScope(available: 2, source: "")
        let lines = report.lines(candidate: open.digest, of: scope)
        #expect(lines.count == 5 && lines[0].hasPrefix("2 recorded requests, candidate "))
        #expect(lines[1].hasPrefix("  NEWLY PERMITTED  ") && lines[1].hasSuffix("← review"))
        #expect(lines[2].contains("by corp-laptop-client-auth, profile client-auth, 90d; e.g. "))
        #expect(lines[3].hasPrefix("  NEWLY DENIED  "))
        guard case .object(let members) = report.document(candidate: open.digest, of: scope) else {
            return
        }
        #expect(members["widened"] == 1 && members["changed"] == 2 && members["requests"] == 2)
    }
}
