import EnrollmentTesting
import Foundation
import Glibc

/// Gateways that share one database in a server of its own and nothing else, as in production: each has a
/// state directory, and all have the same keys, secrets and starter policy.
final class ReplicaSite: Sendable {
    let cluster: PostgresCluster
    /// The name of the ledger's database.
    let database: String
    let gates: [Gate]

    /// Starts one gateway for each name, the first of which makes keys and schema.
    ///
    /// - Parameters:
    ///   - settings: more lines of postgresql.conf.
    ///   - mebibytes: the size of the database server's disk.
    init(_ names: [String], settings: [String] = [], disk mebibytes: Int? = nil) throws {
        cluster = try .separate(settings: settings, disk: mebibytes)
        database = try cluster.database(template: "gatehouse") { _ in }
        var made: [Gate] = []
        do {
            for name in names {
                let gate = try Gate()
                made.append(gate)
                try Self.prepare(gate, name, cluster.socketDirectory, database, like: made.first)
                try gate.up()
            }
        } catch {
            for gate in made { gate.remove() }
            cluster.remove()
            throw error
        }
        gates = made
    }

    /// The gateway that tests talk to when any will do.
    var gate: Gate {
        get throws {
            guard let first = gates.first else { throw Trouble("a site without gateways") }
            return first
        }
    }

    func remove() {
        for gate in gates { gate.remove() }
        cluster.remove()
    }

    /// Runs SQL as the database's superuser; what psql prints.
    func sql(_ text: String) throws -> String {
        try cluster.superuser(text, database: database).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A state directory before the gateway's first start; copied from `first` when there is one already.
    private static func prepare(
        _ gate: Gate, _ name: String, _ host: String, _ database: String, like first: Gate?
    ) throws {
        let manager = FileManager.default
        try manager.createDirectory(atPath: gate.state, withIntermediateDirectories: true)
        if let first, first !== gate {
            for part in ["pki", "secrets", "policies"] {
                try Tool.succeed(
                    "cp", ["-a", "\(first.state)/\(part)", "\(gate.state)/\(part)"], in: gate.directory)
            }
        }
        let configuration = """
            instance: \(name)
            policies: policies
            database: { host: \(host), name: \(database) }
            log: { origin: gatehouse.localhost/replicas }
            acme: { allowed_networks: [127.0.0.0/8], resolve_localhost: true }

            """
        try configuration.write(toFile: "\(gate.state)/gatehouse.yaml", atomically: false, encoding: .utf8)
        chmod(gate.state, 0o700)
        chmod("\(gate.state)/gatehouse.yaml", 0o600)
        // Started as root, the gateway becomes this user, whom its first start makes.
        guard geteuid() == 0 else { return }
        if getpwnam("gatehouse") == nil {
            try Tool.succeed(
                "useradd", ["--system", "--user-group", "--no-create-home", "gatehouse"], in: gate.directory)
        }
        try Tool.succeed("chown", ["-R", "gatehouse:gatehouse", gate.state], in: gate.directory)
    }
}
