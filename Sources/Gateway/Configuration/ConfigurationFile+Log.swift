import EnrollmentCore
import Sequencing
import TransparencyLog
import Yams

/// The section `log` of `gatehouse.yaml`.
extension ConfigurationFile {
    func log(_ node: Node, _ state: StateDirectory, _ log: inout Configuration.TransparencyLog) throws {
        let members = try mapping(node, ["origin", "checkpoint_key", "publish", "witnesses", "quorum"])
        if let node = members["origin"] { log.origin = try origin(node) }
        if let node = members["checkpoint_key"] { log.checkpointKey = absolute(try string(node), state) }
        if let node = members["publish"] {
            let places = try mapping(node, ["directories", "append_files"])
            log.directories = try places["directories"].map { try paths($0, state) } ?? []
            log.appendFiles = try places["append_files"].map { try paths($0, state) } ?? []
        }
        if let node = members["witnesses"] {
            log.witnesses = try items(node, "[{ url: https://witness.example, key: VKEY }]")
                .map { try witness($0, state) }
            var names: Set<String> = []
            for witness in log.witnesses {
                let name = try NoteVerifierKey(parsing: witness.key).name
                guard names.insert(name).inserted else {
                    throw fault(
                        "two witnesses are called \(name)", node,
                        "a cosignature counts once for a name: leave one of them out")
                }
            }
        }
        if let node = members["quorum"] {
            guard let quorum = node.int, (0...log.witnesses.count).contains(quorum) else {
                throw fault(
                    "`log.quorum` is not a number of the witnesses above", node,
                    "write a number from 0 to \(log.witnesses.count)")
            }
            log.quorum = quorum
        }
    }

    /// A name that signature lines and URLs can carry.
    private func origin(_ node: Node) throws -> String {
        let origin = try string(node)
        let permitted = origin.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f && $0 != "+" }
        let segments = origin.split(separator: "/", omittingEmptySubsequences: false)
        guard permitted, origin.utf8.count <= 200, !segments.contains("") else {
            throw fault(
                "`log.origin` is no name of a log", node,
                "write a name without scheme and spaces, e.g. gate.example/ledger")
        }
        return origin
    }

    private func witness(_ node: Node, _ state: StateDirectory) throws -> Configuration.Witness {
        let members = try mapping(node, ["url", "key", "ca"])
        guard let url = members["url"], let key = members["key"] else {
            throw fault("a witness has `url` and `key`", node, "{ url: https://witness.example, key: VKEY }")
        }
        let prefix = try string(url)
        let remedy = "write e.g. https://witness.example or http://[::1]:8080, no slash at the end"
        guard !prefix.hasSuffix("/"), !prefix.contains(where: { "?#@ ".contains($0) }) else {
            throw fault("`url` is no submission prefix", url, remedy)
        }
        do throws(WitnessError) { try HTTPWitnessTransport.check(prefix + "/") } catch {
            throw fault("`url` is no submission prefix: \(error)", url, remedy)
        }
        let text = try string(key)
        do throws(LogFormatError) {
            guard try NoteVerifierKey(parsing: text).algorithm == .cosignature else {
                throw LogFormatError("it is a log's key, not one for cosignature/v1")
            }
        } catch {
            throw fault("`key` is no witness's vkey: \(error)", key, "ask the witness for its verifier key")
        }
        if let node = members["ca"], !prefix.hasPrefix("https:") {
            throw fault("`ca` is for https", node, "write an https `url`, or leave `ca` out")
        }
        return Configuration.Witness(
            url: prefix, key: text, trustAnchors: try members["ca"].map { try file($0, state) })
    }

    private func paths(_ node: Node, _ state: StateDirectory) throws -> [String] {
        try items(node, "[log]").map { absolute(try string($0), state) }
    }

    func items(_ node: Node, _ example: String) throws -> [Node] {
        guard case .sequence(let items) = node else {
            throw fault("a list is expected here", node, "write e.g. \(example)")
        }
        return Array(items)
    }
}
