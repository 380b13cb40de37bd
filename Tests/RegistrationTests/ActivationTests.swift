import Database
import EnrollmentCore
import EnrollmentTesting
import Foundation
import Issuance
import Ledger
import Policy
import Registration
import Testing

/// One gateway as far as its policy goes, on the database of a house.
struct PolicyReplica: Sendable {
    let activation: PolicyActivation
    let ledger: PostgresLedger

    var digest: Digest { activation.active.engine.bundle.digest }

    init(
        _ house: Gatehouse, _ name: String = "gw-2", active: ActivePolicy = ActivePolicy(),
        check: @escaping PolicyActivation.Check = { _ in [] }
    ) {
        let settings = ConnectionSettings(
            house.cluster.parameters(database: house.database, user: "gatehouse_writer"))
        ledger = PostgresLedger(
            writer: BatchingWriter(settings), reader: ReadPool(settings, connections: 1), gateway: name,
            clock: house.clock, random: FreshRandom())
        activation = PolicyActivation(
            active: active, ledger: ledger, clock: house.clock, actor: "gatehouse \(name)",
            issuers: ["issuing"], check: check)
    }

    /// A look that waits for nothing.
    func look(_ directory: inout PolicyDirectory) async throws {
        try await activation.look(at: &directory, hurried: true, at: .now)
    }
}

extension RegistrationTests {
    @Suite struct ActivationTests {
        /// Broken bundles are swapped in while devices enrol: no decision changes, and each is told once.
        @Test func brokenBundlesUnderLoad() async throws {
            let faults = try BrokenBundle.all()
            #expect(faults.count >= 50)
            let house = try await Gatehouse()
            let replica = PolicyReplica(house, active: house.registrar.policy)
            let folder = try PolicyFolder()
            var directory = folder.directory
            try await replica.look(&directory)
            let before = replica.digest
            let load = Task { try await Self.enrolUntilCancelled(house) }
            for fault in faults {
                try folder.apply(fault)
                try await replica.look(&directory)
                // Seen again, it is not news.
                try await replica.look(&directory)
                #expect(replica.digest == before, "\(fault.name)")
            }
            load.cancel()
            #expect(try await load.value > 0)
            let digests = try house.value(
                "SELECT string_agg(DISTINCT encode(policy_sha256, 'hex'), ' ') FROM ledger.decision")
            #expect(digests == before.description)
            #expect(try house.count("ledger.decision WHERE effect <> 'permit'") == 0)
            for table in [
                "audit.policies WHERE verdict = 'refused'", "audit.alerts WHERE detector = 'policy-refused'",
                "(SELECT DISTINCT subject FROM audit.alerts WHERE detector = 'policy-refused') AS told",
            ] {
                #expect(try house.count(table) == faults.count, "\(table)")
            }
            #expect(try house.count("audit.policies WHERE verdict = 'activated'") == 1)
            try folder.amend(1)
            try await replica.look(&directory)
            #expect(replica.digest != before)
            #expect(try await house.ledger.latestActivation()?.digest == replica.digest)
        }

        /// Devices of their own get a certificate each; returns how many.
        private static func enrolUntilCancelled(_ house: Gatehouse) async throws -> Int {
            var count = 0
            while !Task.isCancelled {
                let device = "LT-9\(count)"
                try await house.register(device)
                let credential = try await house.credential(for: device)
                let ask = try Ask(credential.proof(), request: certificateRequest(device: device))
                let outcome = await house.registrar.enroll(house.intent(ask))
                #expect(outcome.certificate != nil, "\(device): \(outcome.name)")
                count += 1
            }
            return count
        }

        @Test func replicasConverge() async throws {
            let house = try await Gatehouse()
            let (one, two) = (PolicyReplica(house, "gw-1"), PolicyReplica(house, "gw-2"))
            let (first, second) = (try PolicyFolder(), try PolicyFolder())
            var (ones, twos) = (first.directory, second.directory)
            try await one.look(&ones)
            try await two.look(&twos)
            #expect(one.digest == house.engine.bundle.digest && two.digest == one.digest)
            try first.amend(1)
            try await one.look(&ones)
            #expect(one.digest != two.digest)
            try await two.look(&twos)
            #expect(one.digest == two.digest && !two.activation.isSkewed)
            // The second gateway's own copy of the same files arrives later: nothing to write.
            try second.amend(1)
            try await two.look(&twos)
            #expect(try house.count("audit.policies") == 2)
            // Two gateways see two bundles at once: one of them is the later, for both.
            try first.amend(2)
            try second.amend(3)
            _ = try await inParallel([(one, first), (two, second)]) { replica, folder in
                try await replica.activation.propose(PolicyCandidate(directory: folder.path), byName: false)
                    .name
            }
            try await one.look(&ones)
            try await two.look(&twos)
            let latest = try #require(try await house.ledger.latestActivation())
            #expect(one.digest == latest.digest && two.digest == latest.digest)
            #expect(try house.count("audit.policies") == 4)
        }

        /// A gateway that starts on a broken directory goes on with what the ledger has.
        @Test func startingOnABrokenDirectory() async throws {
            let house = try await Gatehouse()
            let folder = try PolicyFolder()
            try folder.spoil()
            for _ in 0..<2 {
                let replica = PolicyReplica(house)
                var directory = folder.directory
                try await replica.look(&directory)
                #expect(replica.digest == house.engine.bundle.digest)
                #expect(replica.activation.active.hasBundle)
            }
            #expect(try house.count("audit.alerts WHERE detector = 'policy-refused'") == 1)
            #expect(try house.count("audit.policies WHERE faults LIKE 'owners.yaml:%'") == 1)
            let owner = try house.value("SELECT owner FROM audit.alerts WHERE detector = 'policy-refused'")
            #expect(owner == house.engine.bundle.owner.team)
        }

        /// A directory that is left behind does not bring an old bundle back; a deliberate act does.
        @Test func goingBackIsDeliberate() async throws {
            let house = try await Gatehouse()
            let folder = try PolicyFolder()
            var directory = folder.directory
            let replica = PolicyReplica(house)
            try folder.amend(1)
            try await replica.look(&directory)
            let latest = replica.digest
            try folder.restore()
            try await replica.look(&directory)
            #expect(replica.digest == latest)
            let restarted = PolicyReplica(house, "gw-3")
            var left = folder.directory
            try await restarted.look(&left)
            #expect(restarted.digest == latest)
            #expect(try house.count("audit.policies") == 2)
            let verdict = try await restarted.activation.propose(
                PolicyCandidate(directory: folder.path), byName: true)
            #expect(verdict.name == "activated")
            try await replica.look(&directory)
            #expect(replica.digest == house.engine.bundle.digest)
            #expect(try house.count("audit.policies WHERE verdict = 'refused'") == 0)
        }

        /// Annotating a superseded directory does not make it news; changing what it says does, and that is
        /// told when it replaces what somebody asked for.
        @Test func annotatingAStaleDirectoryChangesNothing() async throws {
            let house = try await Gatehouse(activates: false)
            let (folder, other) = (try PolicyFolder(), try PolicyFolder())
            let replica = PolicyReplica(house)
            var directory = folder.directory
            try await replica.look(&directory)
            #expect(directory.held == replica.digest)
            try other.retitle("Another title")
            let verdict = try await replica.activation.propose(
                PolicyCandidate(directory: other.path), byName: true)
            #expect(verdict.name == "activated")
            let latest = replica.digest
            try folder.amend(1)
            try await replica.look(&directory)
            #expect(replica.digest == latest && directory.held != latest)
            let restarted = PolicyReplica(house, "gw-3")
            var left = folder.directory
            try await restarted.look(&left)
            #expect(restarted.digest == latest)
            #expect(try house.count("audit.policies") == 2)
            #expect(try house.count("audit.alerts WHERE detector = 'policy-replaced'") == 0)
            try folder.retitle("A third title")
            try await replica.look(&directory)
            #expect(replica.digest != latest && directory.held == replica.digest)
            #expect(try house.count("audit.alerts WHERE detector = 'policy-replaced'") == 1)
        }

        /// Without any good bundle everything is denied, on the record, until there is one.
        @Test func nothingInForce() async throws {
            let house = try await Gatehouse(activates: false)
            let folder = try PolicyFolder()
            try folder.spoil()
            let replica = PolicyReplica(house, active: house.registrar.policy)
            var directory = folder.directory
            try await replica.look(&directory)
            #expect(!replica.activation.active.hasBundle)
            let intent = house.intent(try Ask(try await house.credential().proof()))
            #expect(await house.registrar.enroll(intent).refusal != nil)
            #expect(try await house.reason(intent.id) != nil)
            #expect(try house.count("audit.policies WHERE verdict = 'refused'") == 1)
            try folder.restore()
            try await replica.look(&directory)
            #expect(replica.activation.active.hasBundle)
            #expect(
                await house.registrar.enroll(house.intent(try Ask(house.credential().proof()))).certificate
                    != nil)
        }

        /// What this program cannot load is reported once, and the running bundle stays.
        @Test func anActivationThatDoesNotLoadHere() async throws {
            let house = try await Gatehouse()
            let replica = PolicyReplica(house)
            try await replica.activation.follow()
            let bytes = Array(#"{"files":{"owners.yaml":"catalog: v9"}}"#.utf8)
            try await house.ledger.activatePolicy(
                digest: Digest(of: bytes), canonicalBytes: bytes, by: "newer", at: house.clock.now())
            #expect(try await replica.activation.follow()?.name == "refused")
            #expect(try await replica.activation.follow() == nil)
            #expect(replica.activation.isSkewed)
            #expect(replica.digest == house.engine.bundle.digest)
            let folder = try PolicyFolder()
            try folder.amend(1)
            var directory = folder.directory
            try await replica.look(&directory)
            #expect(!replica.activation.isSkewed && replica.digest != house.engine.bundle.digest)
        }
    }
}
