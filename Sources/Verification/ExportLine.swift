import EnrollmentCore
import Simulation

/// The lines of an export's files. Total: what is not as it should be is nil.
enum ExportLine {
    /// A line of `entries.jsonl`, and the clear values that it brings.
    static func entry(_ line: [UInt8]) -> (entry: EvidenceEntry, values: [PrivateValue])? {
        guard let members = try? RecordMembers(line),
            let id = members.text("entry_id").flatMap({ RecordID($0) }),
            let kind = members.text("kind"), let index = members.integer("leaf_index"), index >= 0,
            let body = members.octets("body")
        else { return nil }
        let request = members.text("request_id").flatMap({ RecordID($0) })
        guard request != nil || members.place("request_id") == nil else { return nil }
        let entry = EvidenceEntry(
            id: id, kind: kind, request: request, body: body, storedHash: nil, name: name(index),
            leafIndex: index)
        guard let values = privateValues(members) else { return nil }
        return (entry, values)
    }

    /// A line of `absent.jsonl`.
    static func absent(_ line: [UInt8]) -> (leaf: EvidenceLeaf, entry: RecordID)? {
        guard let members = try? RecordMembers(line),
            let id = members.text("entry_id").flatMap({ RecordID($0) }),
            let index = members.integer("leaf_index"), index >= 0,
            let hash = members.text("leaf_hash").flatMap({ Digest($0) })
        else { return nil }
        return (EvidenceLeaf(index: index, name: name(index), hash: hash), id)
    }

    /// A line of `policies.jsonl`.
    static func policy(_ line: [UInt8]) -> (digest: Digest, bundle: [UInt8])? {
        guard let members = try? RecordMembers(line),
            let digest = members.text("policy_sha256").flatMap({ Digest($0) }),
            let bundle = members.octets("bundle").flatMap({ Base64.decode($0) })
        else { return nil }
        return (digest, bundle)
    }

    /// A line of `certificates.jsonl`.
    static func certificate(_ line: [UInt8]) -> (request: RecordID, tbs: [UInt8], der: [UInt8]?)? {
        guard let members = try? RecordMembers(line),
            let request = members.text("request_id").flatMap({ RecordID($0) }),
            let tbs = members.octets("tbs").flatMap({ Base64.decode($0) })
        else { return nil }
        let der = members.octets("certificate").map { Base64.decode($0) }
        if let der, der == nil { return nil }
        return (request, tbs, der ?? nil)
    }

    /// A line of `checkpoints.jsonl`.
    static func checkpoint(_ line: [UInt8]) -> StoredCheckpoint? {
        guard let members = try? RecordMembers(line), let size = members.integer("tree_size"),
            let note = members.text("note")
        else { return nil }
        var cosignatures: [String] = []
        switch members.value("cosignatures") {
        case nil: break
        case .array(let lines):
            for case .string(let line) in lines { cosignatures.append(line) }
            guard cosignatures.count == lines.count else { return nil }
        default: return nil
        }
        return StoredCheckpoint(size: size, origin: nil, note: note, cosignatures: cosignatures)
    }

    /// A leaf's index as the number that it is added up by.
    static func name(_ index: Int64) -> UInt128 { UInt128(truncatingIfNeeded: index) }

    private static func privateValues(_ members: RecordMembers) -> [PrivateValue]? {
        switch members.value("private") {
        case nil: return []
        case .array(let items):
            let values = items.compactMap { item -> PrivateValue? in
                guard case .object(let pair) = item, case .string(let salt)? = pair["salt"],
                    let salt = Hex.decode(salt), case .string(let value)? = pair["value"]
                else { return nil }
                let octets = Array(value.utf8)
                return PrivateValue(commitment: Digest(of: salt + octets), salt: salt, value: octets)
            }
            return values.count == items.count ? values : nil
        default: return nil
        }
    }
}

extension RecordMembers {
    /// A whole number; nil when there is none.
    func integer(_ name: StaticString) -> Int64? {
        if case .integer(let value)? = value(name) { return value }
        return nil
    }
}

/// Any line of an export, read as each file's would be: for fuzzing.
package func readsAsExportLine(_ line: [UInt8]) -> Bool {
    ExportLine.entry(line) != nil || ExportLine.absent(line) != nil || ExportLine.policy(line) != nil
        || ExportLine.certificate(line) != nil || ExportLine.checkpoint(line) != nil
}
