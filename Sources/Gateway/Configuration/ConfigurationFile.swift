import Foundation
import Listener
import Yams

/// Reads `gatehouse.yaml`. An unknown key or a value of the wrong kind is an error with its place: a misspelt
/// key must never silently mean the default.
struct ConfigurationFile {
    private let path: String
    /// Whether the files it names must be readable.
    let checksFiles: Bool

    /// - Throws: `StartupError` naming file, line and remedy.
    static func read(
        _ path: String, state: StateDirectory, checksFiles: Bool = false
    ) throws -> Configuration {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartupError(
                "cannot read \(path)", remedy: "name a configuration with --config", exitCode: .notFound)
        }
        return try ConfigurationFile(path: path, checksFiles: checksFiles)
            .parse(String(decoding: data, as: UTF8.self), state)
    }

    private func parse(_ text: String, _ state: StateDirectory) throws -> Configuration {
        let composed: Node?
        do { composed = try Yams.compose(yaml: text) } catch {
            throw fault("this is not YAML: \(error)", nil, "mend the syntax")
        }
        guard let root = composed else { throw fault("the file is empty", nil, "start from deploy/config") }
        let members = try mapping(
            root, ["instance", "policies", "listeners", "database", "acme", "log", "feeds"])
        guard let instance = members["instance"] else {
            throw fault("`instance` is missing", root, "name this gateway, e.g. instance: gate-1")
        }
        var configuration = Configuration(
            instance: try string(instance), policies: state.policies,
            database: .init(isEmbedded: true, host: state.socketDirectory),
            log: .init(directories: [state.log], appendFiles: ["\(state.log)/checkpoints.txt"]))
        if let node = members["policies"] { configuration.policies = absolute(try string(node), state) }
        if let node = members["listeners"] { try listeners(node, &configuration) }
        if let node = members["database"] { configuration.database = try database(node) }
        if let node = members["acme"] { configuration.acme = try domainValidation(node) }
        if let node = members["log"] { try log(node, state, &configuration.log) }
        if let node = members["feeds"] { configuration.feeds = try feeds(node, state) }
        return configuration
    }

    private func listeners(_ node: Node, _ configuration: inout Configuration) throws {
        let members = try mapping(node, ["tls", "http", "admin"])
        if let node = members["tls"] { try listener(node, "https://", &configuration.tls) }
        if let node = members["http"] { try listener(node, "http://", &configuration.http) }
        if let node = members["admin"] { try listener(node, "http://", &configuration.admin) }
    }

    private func listener(_ node: Node, _ scheme: String, _ listener: inout Configuration.Listener) throws {
        let members = try mapping(node, ["host", "port", "base_url"])
        if let node = members["host"] {
            listener.host = try string(node)
            guard IPAddress(listener.host) != nil else {
                throw fault(
                    "`host` is no IP address", node, "an address of this computer, e.g. 0.0.0.0 or ::")
            }
        }
        if let node = members["port"] { listener.port = try port(node) }
        if let node = members["base_url"] {
            let url = try string(node)
            guard url.hasPrefix(scheme), !url.hasSuffix("/"), !url.contains(where: { "?#@ ".contains($0) })
            else {
                throw fault(
                    "`base_url` is no base URL", node,
                    "write e.g. \(scheme)gate.example:8443, no slash at the end")
            }
            listener.baseURL = url
        }
    }

    private func database(_ node: Node) throws -> Configuration.Database {
        let members = try mapping(
            node, ["host", "port", "name", "migrator", "writer", "auditor", "sequencer", "verifier"])
        guard let host = members["host"] else {
            throw fault("`database.host` is missing", node, "a host name, or the directory of a Unix socket")
        }
        var database = Configuration.Database(isEmbedded: false, host: try string(host))
        if let node = members["port"] { database.port = try port(node) }
        if let node = members["name"] { database.name = try string(node) }
        if let node = members["migrator"] { database.migrator = try string(node) }
        if let node = members["writer"] { database.writer = try string(node) }
        if let node = members["auditor"] { database.auditor = try string(node) }
        if let node = members["sequencer"] { database.sequencer = try string(node) }
        if let node = members["verifier"] { database.verifier = try string(node) }
        return database
    }

    private func domainValidation(_ node: Node) throws -> Configuration.DomainValidation {
        let members = try mapping(
            node, ["http01_port", "tls_alpn01_port", "allowed_networks", "resolve_localhost"])
        var validation = Configuration.DomainValidation()
        if let node = members["http01_port"] { validation.http01Port = try port(node) }
        if let node = members["tls_alpn01_port"] { validation.tlsALPN01Port = try port(node) }
        if let node = members["allowed_networks"] {
            guard case .sequence(let items) = node else {
                throw fault("`allowed_networks` is no list", node, "write e.g. [10.0.0.0/8]")
            }
            validation.allowedNetworks = try items.map { item in
                let text = try string(item)
                guard IPNetwork(text) != nil else {
                    throw fault("“\(text)” is no network", item, "write e.g. 10.0.0.0/8")
                }
                return text
            }
        }
        if let node = members["resolve_localhost"] {
            guard let value = node.bool else {
                throw fault("`resolve_localhost` is not true or false", node, "write true or false")
            }
            validation.resolvesLocalhost = value
        }
        return validation
    }

    func mapping(_ node: Node, _ allowed: [String]) throws -> [String: Node] {
        guard case .mapping(let pairs) = node else {
            throw fault("a mapping is expected here", node, "keys: \(allowed.joined(separator: ", "))")
        }
        var members: [String: Node] = [:]
        for (key, value) in pairs {
            let name = try string(key)
            guard allowed.contains(name) else {
                throw fault("unknown key `\(name)`", key, "known keys: \(allowed.joined(separator: ", "))")
            }
            guard members.updateValue(value, forKey: name) == nil else {
                throw fault("`\(name)` is given twice", key, "keep one")
            }
        }
        return members
    }

    func string(_ node: Node) throws -> String {
        guard case .scalar(let scalar) = node, !scalar.string.isEmpty else {
            throw fault("a text is expected here", node, "write one value")
        }
        return scalar.string
    }

    func port(_ node: Node) throws -> Int {
        guard let value = node.int, (0...65_535).contains(value) else {
            throw fault("this is no port", node, "a number from 0 to 65535; 0 takes any free port")
        }
        return value
    }

    func absolute(_ path: String, _ state: StateDirectory) -> String {
        path.hasPrefix("/") ? path : "\(state.path)/\(path)"
    }

    func fault(_ problem: String, _ node: Node?, _ remedy: String) -> StartupError {
        let place = node?.mark.map { "\(path):\($0.line):\($0.column)" } ?? path
        return StartupError("\(place): \(problem)", remedy: remedy, exitCode: .invalid)
    }
}
