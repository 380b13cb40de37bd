import EnrollmentCore
import Ledger

/// Elastic Common Schema, version 8.17 (elastic.co/guide/en/ecs). What it has no field for stands below
/// `gatehouse`, as the schema's custom fields do.
enum ElasticCommonSchema {
    static let version = "8.17.0"

    static func document(of occurrence: Occurrence) -> JSONValue {
        let event = occurrence.event
        var members: [String: JSONValue] = [
            "@timestamp": .string(event.recordedAt.description),
            "ecs": ["version": .string(version)],
            "message": .string(occurrence.message),
            "event": description(of: occurrence),
            "gatehouse": own(occurrence),
            "service": object([("type", "gatehouse"), ("name", event.service)]),
        ]
        if let gateway = event.gateway { members["observer"] = ["name": .string(gateway)] }
        if let actor = occurrence.actor { members["user"] = ["name": .string(actor)] }
        if let device = event.device { members["device"] = ["id": .string(device)] }
        if let address = occurrence.clientAddress {
            members["client"] = ["address": .string(address)]
        }
        if let rule = occurrence.rules.first { members["rule"] = ["id": .string(rule)] }
        if let used = event.enrollmentProtocol { members["network"] = ["protocol": .string(used)] }
        return .object(members)
    }

    private static func description(of occurrence: Occurrence) -> JSONValue {
        let event = occurrence.event
        let (category, type) = category(occurrence)
        return .object(
            [
                "action": .string(occurrence.action),
                "category": [.string(category)],
                "created": .string(event.recordedAt.description),
                "dataset": "gatehouse.ledger",
                "hash": .string(event.leafHash),
                "id": .string(event.entry),
                "kind": occurrence.subject == .alert ? "alert" : "event",
                "module": "gatehouse",
                "outcome": .string(occurrence.outcome.rawValue),
                "sequence": .integer(event.index),
                "severity": .integer(Int64(occurrence.severity.rawValue)),
                "type": [.string(type)],
            ].merging(
                [("code", occurrence.reasonCode), ("reason", occurrence.reason)].compactMap { name, text in
                    text.map { (name, JSONValue.string($0)) }
                }, uniquingKeysWith: { $1 }))
    }

    /// `event.category` and the `event.type` that the schema expects with it.
    private static func category(_ occurrence: Occurrence) -> (String, String) {
        switch occurrence.subject {
        case .request:
            guard occurrence.event.kind == "decision" else { return ("api", "access") }
            switch occurrence.outcome {
            case .success: return ("api", "allowed")
            case .failure: return ("api", "denied")
            case .unknown: return ("api", "info")
            }
        case .certificate:
            return ("iam", occurrence.action == "certificate.revoked" ? "deletion" : "creation")
        case .credential, .account: return ("iam", "change")
        case .policy, .configuration: return ("configuration", "change")
        case .ledger: return ("configuration", "info")
        case .alert: return ("intrusion_detection", "info")
        }
    }

    private static func own(_ occurrence: Occurrence) -> JSONValue {
        let event = occurrence.event
        var value = object([
            ("certificate_sha256", occurrence.certificate), ("credential_id", occurrence.credential),
            ("issuer", occurrence.issuer), ("kind", event.kind), ("operation", event.operation),
            ("owner", occurrence.owner), ("policy_sha256", occurrence.policy),
            ("request_id", event.request), ("serial", occurrence.serial), ("target", occurrence.target),
        ])
        if case .object(var members) = value, !occurrence.rules.isEmpty {
            members["rules"] = .array(occurrence.rules.map(JSONValue.string))
            value = .object(members)
        }
        return value
    }

    /// An object of the members that have a value.
    static func object(_ members: [(String, String?)]) -> JSONValue {
        .object(
            Dictionary(
                members.compactMap { name, text in text.map { (name, JSONValue.string($0)) } },
                uniquingKeysWith: { $1 }))
    }
}
