import Foundation
import Glibc
import Testing

/// Two gateways on one database.
@Suite(.serialized) struct ReplicaTests {
    private static let site = Result { try ReplicaSite(["gate-a", "gate-b"]) }

    @Test("64 requests with one credential at both gateways at once: one certificate")
    func oneCredential() throws {
        let site = try Self.site.get()
        let gate = try site.gate
        let device = TestDevice.laptop("LT-R-ONE")
        try gate.importDevices([device])
        let credential = try gate.mint("laptops", device.id, "est")
        let crowds = try site.gates.map { try crowd($0, device, [credential], count: 32, threads: 16) }
        let answers = try crowds.flatMap { try Crowd.answers(of: $0) }
        #expect(answers.count == 64)
        let serials = Set(answers.compactMap(\.certificates))
        #expect(serials.count == 1, "one certificate, told to one key")
        #expect(answers.filter { $0.status == 200 }.count == 1, "\(answers.map(\.status))")
        #expect(answers.allSatisfy { [200, 401, 403, 503].contains($0.status) }, "\(answers.map(\.status))")
        #expect(
            try site.sql(
                "SELECT count(*) FROM ledger.certificate WHERE request_id IN "
                    + "(SELECT request_id FROM ledger.request WHERE device_id = '\(device.id)')") == "1")
    }

    @Test("a policy activated at one gateway is in force at the other within five seconds")
    func convergence() throws {
        let site = try Self.site.get()
        let (one, other) = (try site.gate, try #require(site.gates.last))
        let folder = try one.folder("policy")
        try Tool.succeed("cp", ["-a", Gate.starterBundle, folder.file("bundle")], in: folder)
        let rule = folder.file("bundle/rules/corp-laptop-client-auth.yaml")
        let text = try String(contentsOfFile: rule, encoding: .utf8)
        try (text + "\n# seen by both\n").write(toFile: rule, atomically: true, encoding: .utf8)
        let before = try inForce(other)
        let done = try one.command(["policy", "activate", folder.file("bundle")])
        #expect(done.status == 0, "\(done)")
        let began = ContinuousClock.now
        try waitUntil("both follow", within: 60) {
            let now = try inForce(other)
            return try now != before && now == inForce(one)
        }
        #expect(ContinuousClock.now - began < .seconds(5), "\(ContinuousClock.now - began)")
    }

    @Test(
        "the leading sequencer is killed under load: the other takes over, and the log has no fork and no gap"
    )
    func takeover() throws {
        let site = try ReplicaSite(["gate-a", "gate-b"])
        defer { site.remove() }
        let devices = (0..<24).map { TestDevice.laptop("LT-R-\($0)") }
        try site.gate.importDevices(devices)
        let credentials = try devices.map { try site.gate.mint("laptops", $0.id, "est") }
        try waitUntil("somebody leads", within: 60) { try !leader(site).isEmpty }
        let first = try leader(site)
        let survivor = try #require(site.gates.first { try !isLeader($0, first) })
        let killed = try #require(site.gates.first { try isLeader($0, first) })
        let load = try zip(devices, credentials).map { device, credential in
            try crowd(survivor, device, [credential], count: 1, threads: 1)
        }
        usleep(300_000)
        killed.kill()
        let began = ContinuousClock.now
        let size = Int(try treeSize(site)) ?? 0
        try waitUntil("another leads", within: 20) {
            try leader(site) != first && (Int(try treeSize(site)) ?? 0) > size
        }
        #expect(ContinuousClock.now - began <= .seconds(10), "takeover took \(ContinuousClock.now - began)")
        for one in load { #expect(try Crowd.answers(of: one).map(\.status) == [200]) }
        try waitUntil("every entry is a leaf", within: 60) {
            try site.sql("SELECT count(*) FROM ledger.pending_leaf") == "0"
        }
        try expectOneLog(site)
    }

    // MARK: The log

    private func leader(_ site: ReplicaSite) throws -> String {
        try site.sql(
            "SELECT holder || ' ' || epoch FROM ledger.lease WHERE job = 'sequencer' AND expires_at > now()")
    }

    private func treeSize(_ site: ReplicaSite) throws -> String {
        try site.sql("SELECT coalesce(max(tree_size), 0) FROM ledger.tree_head")
    }

    private func isLeader(_ gate: Gate, _ leader: String) throws -> Bool {
        let text = try String(contentsOfFile: "\(gate.state)/gatehouse.yaml", encoding: .utf8)
        let name = text.split(separator: "\n").first?.split(separator: " ").last.map(String.init) ?? "none"
        return leader.contains(name)
    }

    /// Contiguous leaves, one root for each size, epochs that only rise, and every root recomputed from the
    /// leaves.
    private func expectOneLog(_ site: ReplicaSite) throws {
        #expect(
            try site.sql("SELECT count(*) = max(leaf_index) + 1 AND min(leaf_index) = 0 FROM ledger.leaf")
                == "t")
        #expect(
            try site.sql("SELECT (SELECT count(*) FROM ledger.entry) = (SELECT count(*) FROM ledger.leaf)")
                == "t")
        #expect(
            try site.sql(
                "SELECT bool_and(epoch >= before) FROM (SELECT epoch, lag(epoch, 1, 0::bigint) "
                    + "OVER (ORDER BY tree_size) AS before FROM ledger.tree_head) AS heads") == "t")
        #expect(
            Int(try site.sql("SELECT count(DISTINCT sequencer) FROM ledger.tree_head")) == 2, "both sequenced"
        )
        let folder = try site.gate.folder("log")
        let leaves = try site.sql("SELECT encode(leaf_hash, 'hex') FROM ledger.leaf ORDER BY leaf_index")
        let heads = try site.sql("SELECT tree_size || ' ' || encode(root_hash, 'hex') FROM ledger.tree_head")
        let recomputed = try Tool.run(
            "python3", ["-c", Self.recompute], in: folder, input: Data("\(leaves)\n\n\(heads)\n".utf8))
        #expect(recomputed.status == 0, "\(recomputed)")
    }

    /// RFC 9162 §2.1.1, from the definition; reads leaf hashes, an empty line, and sizes with their roots.
    private static let recompute = """
        import hashlib, sys
        leaves, heads = sys.stdin.read().strip().split("\\n\\n")
        leaves = [bytes.fromhex(leaf) for leaf in leaves.split()]
        def root(part):
            if len(part) == 1: return part[0]
            k = 1 << (len(part) - 1).bit_length() - 1
            return hashlib.sha256(b"\\1" + root(part[:k]) + root(part[k:])).digest()
        wrong = [size for size, expected in map(str.split, heads.splitlines())
                 if root(leaves[:int(size)]).hex() != expected]
        sys.exit(f"wrong roots at {wrong}" if wrong else 0)
        """

    // MARK: Clients and gateways

    /// Starts clients of one gateway, each request with a key of its own.
    private func crowd(
        _ gate: Gate, _ device: TestDevice, _ credentials: [MintedCredential], count: Int, threads: Int
    ) throws -> Program {
        let folder = try gate.folder("crowd")
        return try Crowd.start(
            gate, folder, name: device.id, credentials, ["count": count, "threads": threads])
    }

    /// The digest of the bundle in force, as the gateway's metrics name it.
    private func inForce(_ gate: Gate) throws -> String {
        let said = try Tool.succeed(
            "curl", ["-sS", "--max-time", "5", "\(try gate.endpoints.admin)/metrics"],
            in: try gate.folder("metrics"))
        return said.output.split(separator: "\n").first { $0.hasPrefix("gatehouse_policy_info") }
            .map(String.init) ?? ""
    }
}

/// Waits until something is so; throws what was waited for when it takes too long.
func waitUntil(_ what: String, within seconds: Double, _ isSo: () throws -> Bool) throws {
    let deadline = ContinuousClock.now.advanced(by: .seconds(seconds))
    while try !isSo() {
        guard ContinuousClock.now < deadline else { throw Trouble("not in \(seconds) s: \(what)") }
        usleep(100_000)
    }
}
