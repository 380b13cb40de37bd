import EventFeed
import Foundation
import Yams

/// The section `feeds` of `gatehouse.yaml`.
extension ConfigurationFile {
    private static let example = "- { name: siem, format: ecs, syslog: { host: siem.example } }"
    private static let most = 8

    func feeds(_ node: Node, _ state: StateDirectory) throws -> [Feed] {
        let nodes = try items(node, Self.example)
        guard nodes.count <= Self.most else {
            throw fault("there are \(nodes.count) feeds", node, "at most \(Self.most)")
        }
        let feeds = try nodes.map { try feed($0, state) }
        var names: Set<String> = []
        for (feed, node) in zip(feeds, nodes) where !names.insert(feed.name).inserted {
            throw fault(
                "the feed “\(feed.name)” is given twice", node, "a name is one feed's cursor: keep one")
        }
        return feeds
    }

    private func feed(_ node: Node, _ state: StateDirectory) throws -> Feed {
        let members = try mapping(node, ["name", "format", "personal", "syslog", "file"])
        guard let name = members["name"], let format = members["format"] else {
            throw fault("a feed has `name` and `format`", node, Self.example)
        }
        return Feed(
            name: try feedName(name), format: try self.format(format),
            sendsPersonal: try members["personal"].map(truth) ?? false,
            destination: try destination(members, node, state))
    }

    private func feedName(_ node: Node) throws -> String {
        let name = try string(node)
        let permitted = name.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
        }
        guard permitted, !name.hasPrefix("-"), name.utf8.count <= 63 else {
            throw fault("“\(name)” is no name of a feed", node, "1 to 63 lower-case letters, digits, dashes")
        }
        return name
    }

    private func format(_ node: Node) throws -> EventFormat {
        guard let format = EventFormat(rawValue: try string(node)) else {
            let known = EventFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw fault("there is no such format", node, "known formats: \(known)")
        }
        return format
    }

    private func truth(_ node: Node) throws -> Bool {
        guard let value = node.bool else {
            throw fault("this is not true or false", node, "write true or false")
        }
        return value
    }

    private func destination(_ members: [String: Node], _ node: Node, _ state: StateDirectory) throws
        -> FeedDestination
    {
        switch (members["file"], members["syslog"]) {
        case (let file?, nil): return .file(path: absolute(try string(file), state))
        case (nil, let syslog?): return .syslog(try receiver(syslog, state))
        case (nil, nil), (.some, .some):
            throw fault("a feed goes to one of `syslog` and `file`", node, Self.example)
        }
    }

    private func receiver(_ node: Node, _ state: StateDirectory) throws -> SyslogReceiver {
        let members = try mapping(node, ["host", "port", "server_name", "ca", "client"])
        guard let host = members["host"] else {
            throw fault("`syslog.host` is missing", node, "write e.g. syslog: { host: siem.example }")
        }
        return SyslogReceiver(
            host: try string(host), port: try members["port"].map(port) ?? 6_514,
            serverName: try members["server_name"].map(string),
            trustAnchors: try members["ca"].map { try file($0, state) },
            clientIdentity: try members["client"].map { try file($0, state) })
    }

    func file(_ node: Node, _ state: StateDirectory) throws -> String {
        let path = absolute(try string(node), state)
        if checksFiles, FileManager.default.contents(atPath: path) == nil {
            throw fault("\(path) cannot be read", node, "put the PEM file there, readable by this user")
        }
        return path
    }
}
