import EnrollmentCore
import Testing

@testable import Policy
@testable import PolicyAnalysis

/// One edit of the starter bundle and what it changes.
struct EditCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let path: String
    let old: String
    let new: String
    /// All the kinds of change that are expected; with "!" those that widen.
    let kinds: Set<String>

    init(_ description: String, _ path: String, _ old: String, _ new: String, _ kinds: Set<String>) {
        testDescription = description
        self.path = path
        self.old = old
        self.new = new
        self.kinds = kinds
    }
}

struct PolicyDiffTests {
    private static let laptop = "rules/corp-laptop-client-auth.yaml"
    private static let contractor = "rules/contractor-client-auth.yaml"
    private static let jailbroken = "rules/never-jailbroken.yaml"
    private static let services = "catalog/services.yaml"
    private static let profiles = "catalog/profiles.yaml"

    static let edits: [EditCase] = [
        EditCase("longer validity", laptop, "at_most: 90d", "at_most: 80d", ["shorter-validity"]),
        EditCase("cut validity", contractor, "at_most: 7d", "at_most: 14d", ["longer-validity!"]),
        EditCase("fresher posture", laptop, "max_age: 4h", "max_age: 2h", ["newly-deferred"]),
        EditCase(
            "staler posture", laptop, "max_age: 4h", "max_age: 9h",
            ["newly-permitted!", "newly-denied", "reason-only"]),
        EditCase(
            "another group", laptop, "device.group: corp-laptops", "device.group: servers",
            [
                "newly-permitted!", "newly-deferred", "newly-denied", "reason-only",
            ]),
        EditCase(
            "one more group", laptop, "device.group: corp-laptops", "device.group: [corp-laptops, servers]",
            ["newly-permitted!", "newly-deferred", "reason-only"]),
        EditCase(
            "no group", laptop, "  device.group: corp-laptops\n", "",
            [
                "newly-permitted!", "newly-deferred", "reason-only",
            ]),
        EditCase("a title", laptop, "title: Client", "title: The client", []),
        EditCase("one name fewer", laptop, "  san: { dns: [\"{device.dns}\"] }\n", "", ["narrower-names"]),
        EditCase(
            "one name more", contractor, "  common_name: \"{device.id}\"\n",
            "  common_name: \"{device.id}\"\n  san: { dns: \"{device.dns}\" }\n", ["wider-names!"]),
        EditCase(
            "more asked for than granted", laptop, "if_csr_differs: deny", "if_csr_differs: replace",
            [
                "newly-permitted!", "newly-deferred",
            ]),
        EditCase("rule in shadow", laptop, "mode: enforce", "mode: shadow", ["newly-denied", "reason-only"]),
        EditCase("rule off", contractor, "mode: enforce", "mode: off", ["newly-denied"]),
        EditCase(
            "an older approval", contractor, "within: 24h", "within: 48h",
            [
                "newly-permitted!", "fewer-approvals!",
            ]),
        EditCase(
            "no approval", contractor, "approval: { from: Contractor Office, count: 1, within: 24h }", "",
            [
                "newly-permitted!"
            ]),
        EditCase(
            "four eyes", contractor, "within: 24h", "within: 24h, four_eyes: true",
            [
                "newly-deferred", "more-approvals",
            ]),
        EditCase(
            "one protocol fewer", services, "[scep, est, acme]", "[est, acme]",
            [
                "newly-denied", "reason-only",
            ]),
        EditCase(
            "a protocol more", services, "protocols: [scep]", "protocols: [scep, est]",
            [
                "newly-permitted!", "reason-only",
            ]),
        EditCase(
            "limit of certificates", services, "live_certificates_per_device: 10",
            "live_certificates_per_device: 12",
            ["newly-permitted!", "newly-deferred", "reason-only"]),
        EditCase(
            "no deny rule", jailbroken, "mode: enforce", "mode: off",
            [
                "newly-permitted!", "newly-deferred", "reason-only",
            ]),
        EditCase(
            "renewals by credential only", laptop, "      - certificate_of_ours: { for: renewal }\n", "",
            [
                "newly-denied", "reason-only",
            ]),
        EditCase(
            "first enrolment only", laptop, "profile: client-auth }",
            "profile: client-auth, operation: enroll }",
            [
                "newly-denied", "reason-only",
            ]),
    ]

    @Test(arguments: edits)
    func showsWhatAnEditChanges(_ edit: EditCase) throws {
        let before = try TestBundle.starter()
        let after = try TestBundle.starter(editing: edit.path, edit.old, edit.new)
        let changes = PolicyDiff(from: before, to: after).changes()
        let kinds = Set(changes.map { $0.kind.rawValue + ($0.widens ? "!" : "") })
        #expect(kinds.subtracting(["reason-only"]) == edit.kinds.subtracting(["reason-only"]))
        for change in changes { expectShown(change, before, after) }
        for change in changes where change.kind != .reasonOnly && edit.path.hasPrefix("rules/") {
            let id = edit.path.dropFirst(6).dropLast(5)
            #expect(change.rules == [String(id)])
            #expect(!change.owners.isEmpty)
        }
        let files = PolicyDiff(from: before, to: after).edits().filter { $0.part == .file }
        #expect(files.map(\.name) == [edit.path])
    }

    private func expectShown(_ change: PolicyChange, _ before: PolicyBundle, _ after: PolicyBundle) {
        guard let sketch = change.example else { return }
        let comparison = DecisionComparison(
            sketch: sketch, before: PolicyEngine(bundle: before).decide(sketch.input),
            after: PolicyEngine(bundle: after).decide(sketch.input))
        let kinds = comparison.changes.filter { $0 == (change.kind, change.widens) }
        #expect(kinds.count == 1)
    }

    /// Somebody else's name, and a usage where rules look at the name that is asked for.
    @Test func showsWhoMayAskForMore() throws {
        for (condition, isUsage) in [
            ("device.group: corp-laptops", false), ("request.common_name: { equals: device.id }", true),
        ] {
            let rule = TestBundle.permit(condition)
            let loose = rule.replacing("validity:", with: "if_csr_differs: replace, validity:")
            let (one, other) = (try TestBundle.load(["one": rule]), try TestBundle.load(["one": loose]))
            let widening = PolicyDiff(from: one, to: other).changes().filter(\.widens)
            #expect(widening.map(\.kind) == [.newlyPermitted])
            let input = widening.first?.example?.input
            #expect(input?.request.extendedKeyUsages.isEmpty == !isUsage)
            if !isUsage { #expect(input?.request.names.commonName == "somebody-else.invalid") }
            let back = PolicyDiff(from: other, to: one).changes()
            #expect(back.map(\.kind) == [.newlyDenied])
        }
    }

    @Test func findsNothingBetweenABundleAndItself() throws {
        let bundle = try TestBundle.starter()
        let diff = PolicyDiff(from: bundle, to: try TestBundle.starter())
        #expect(diff.changes().isEmpty)
        #expect(diff.edits().isEmpty)
    }

    @Test func comparesWithNoBundleAtAll() throws {
        let bundle = try TestBundle.starter()
        let opened = PolicyDiff(from: .nothing, to: bundle).changes()
        #expect(opened.contains { $0.kind == .newlyPermitted })
        let narrowed = Set(opened.filter { !$0.widens }.map(\.kind))
        #expect(narrowed.isSubset(of: [.newlyDeferred, .reasonOnly]))
        let closed = PolicyDiff(from: bundle, to: .nothing).changes()
        #expect(closed.contains { $0.kind == .newlyDenied })
        #expect(closed.filter(\.widens).isEmpty)
    }

    @Test func namesCeilingsAndKeys() throws {
        let before = try TestBundle.starter()
        let after = try TestBundle.starter(editing: Self.profiles, "at_most: 90d", "at_most: 30d")
        let shorter = PolicyDiff(from: before, to: after)
        #expect(shorter.changes().contains { $0.kind == .shorterValidity })
        #expect(shorter.edits().contains { $0.part == .profile })
        let keys = try TestBundle.starter(
            editing: Self.profiles, "key_algorithms: [", "key_algorithms: [ed25519, ")
        let changes = PolicyDiff(from: before, to: keys).changes()
        #expect(changes.contains { $0.kind == .newlyPermitted && $0.example?.keyAlgorithm == .ed25519 })
    }

    /// What is said to change is what changes on some kind of request, for pairs of bundles.
    @Test func agreesWithBruteForce() throws {
        let catalog = try TestBundle.starter()
        var compared = 0
        var seed: UInt64 = 0
        while compared < 250, seed < 10_000 {
            seed += 1
            var random = RandomRules(seed: seed)
            let rules = random.rules()
            let edited = random.edited(rules)
            let (old, new) = (try TestBundle.make(catalog, rules), try TestBundle.make(catalog, edited))
            let sides = [old, new].map { PolicySide($0, TestBundle.service, TestBundle.profile) }
            guard let partition = try? Partition(TestBundle.service, TestBundle.profile, sides),
                partition.dimensions.map(\.cells.count).reduce(1, *) <= 300, !partition.use.hasOpenNames
            else { continue }
            compared += 1
            let said = PolicyDiff(from: old, to: new).changes()
            let actual = Set(said.map { "\($0.kind.rawValue) \($0.widens)" })
            var expected: Set<String> = []
            for sketch in allSketches(partition) {
                let comparison = DecisionComparison(
                    sketch: sketch, before: sides[0].engine.decide(sketch.input),
                    after: sides[1].engine.decide(sketch.input))
                expected.formUnion(comparison.changes.map { "\($0.kind.rawValue) \($0.widens)" })
            }
            let reason = "reason-only false"
            #expect(actual.subtracting([reason]) == expected.subtracting([reason]), "seed \(seed)")
            guard actual.subtracting([reason]) == expected.subtracting([reason]) else { return }
        }
        #expect(compared == 250)
    }

    private func allSketches(_ partition: Partition) -> [RequestSketch] {
        var cells: [[Int: Int]] = [[:]]
        for (place, dimension) in partition.dimensions.enumerated() {
            cells = cells.flatMap { chosen in
                dimension.cells.indices.map { chosen.merging([place: $0]) { $1 } }
            }
        }
        return cells.map(partition.sketch)
    }
}
