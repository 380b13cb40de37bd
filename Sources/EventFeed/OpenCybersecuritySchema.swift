import EnrollmentCore
import Ledger

/// Open Cybersecurity Schema Framework, version 1.5.0 (schema.ocsf.io/1.5.0): requests and decisions are API
/// Activity (6003), alerts are Detection Finding (2004), everything else is Entity Management (3004).
enum OpenCybersecuritySchema {
    static let version = "1.5.0"

    static func document(of occurrence: Occurrence) -> JSONValue {
        var members = common(occurrence)
        switch occurrence.subject {
        case .request: addAPIActivity(occurrence, to: &members)
        case .alert: addFinding(occurrence, to: &members)
        case .certificate, .credential, .account, .policy, .configuration, .ledger:
            addEntity(occurrence, to: &members)
        }
        return .object(members)
    }

    private static func common(_ occurrence: Occurrence) -> [String: JSONValue] {
        let event = occurrence.event
        let milliseconds = JSONValue.integer(event.recordedAt.microseconds / 1_000)
        var metadata: [String: JSONValue] = [
            "version": .string(version), "uid": .string(event.entry), "sequence": .integer(event.index),
            "product": ["name": "Gatehouse", "vendor_name": "Gatehouse"], "log_name": "ledger",
            "event_code": .string(occurrence.action), "logged_time": milliseconds,
        ]
        if let request = event.request { metadata["correlation_uid"] = .string(request) }
        // `device` is the Host profile's.
        if hasDevice(occurrence) { metadata["profiles"] = ["host"] }
        var members: [String: JSONValue] = [
            "metadata": .object(metadata), "time": milliseconds, "message": .string(occurrence.message),
            "severity_id": .integer(Int64(occurrence.severity.rawValue) + 1),
            "status_id": .integer(status(occurrence.outcome)), "unmapped": unmapped(occurrence),
        ]
        if let code = occurrence.reasonCode { members["status_code"] = .string(code) }
        if let reason = occurrence.reason { members["status_detail"] = .string(reason) }
        return members
    }

    private static func addAPIActivity(_ occurrence: Occurrence, to members: inout [String: JSONValue]) {
        let event = occurrence.event
        classify(6, 6_003, event.kind == "request" ? 1 : 99, occurrence, &members)
        members["actor"] = actor(occurrence)
        members["api"] = [
            "operation": .string(event.operation ?? occurrence.action),
            "request": ["uid": .string(event.request ?? event.entry)],
            "service": ["name": .string(event.service ?? "gatehouse")],
        ]
        // The schema wants some name of the other side.
        members["src_endpoint"] = ElasticCommonSchema.object([
            ("uid", event.device), ("ip", occurrence.clientAddress),
            ("name", event.device == nil ? "unidentified" : nil),
        ])
    }

    private static func addFinding(_ occurrence: Occurrence, to members: inout [String: JSONValue]) {
        classify(2, 2_004, 1, occurrence, &members)
        members["is_alert"] = true
        // A finding's status is that of its handling: 1 is New.
        members["status_id"] = 1
        members["finding_info"] = ElasticCommonSchema.object([
            ("uid", occurrence.event.entry), ("title", occurrence.action), ("desc", occurrence.reason),
        ])
        if let target = occurrence.target { members["resources"] = [["uid": .string(target)]] }
    }

    private static func addEntity(_ occurrence: Occurrence, to members: inout [String: JSONValue]) {
        classify(3, 3_004, activity(occurrence), occurrence, &members)
        members["actor"] = actor(occurrence)
        let event = occurrence.event
        let identifier =
            occurrence.serial ?? occurrence.credential ?? occurrence.policy ?? occurrence.target
            ?? event.entry
        members["entity"] = [
            "type_id": 99, "type": .string(occurrence.subject.rawValue), "uid": .string(identifier),
        ]
        if hasDevice(occurrence) { members["device"] = ["uid": JSONValue(event.device), "type_id": 0] }
    }

    private static func hasDevice(_ occurrence: Occurrence) -> Bool {
        switch occurrence.subject {
        case .request, .alert: return false
        case .certificate, .credential, .account, .policy, .configuration, .ledger:
            return occurrence.event.device != nil
        }
    }

    private static func classify(
        _ category: Int64, _ schemaClass: Int64, _ activity: Int64, _ occurrence: Occurrence,
        _ members: inout [String: JSONValue]
    ) {
        members["category_uid"] = .integer(category)
        members["class_uid"] = .integer(schemaClass)
        members["activity_id"] = .integer(activity)
        members["type_uid"] = .integer(schemaClass * 100 + activity)
        if activity == 99 { members["activity_name"] = .string(occurrence.action) }
    }

    /// Entity Management's activities: 1 create, 3 update, 9 disable, 10 activate, 99 other.
    private static func activity(_ occurrence: Occurrence) -> Int64 {
        switch occurrence.action {
        case "certificate.issued", "credential.mint", "account.bound": return 1
        case "certificate.revoked", "credential.revoke": return 9
        case "policy.activated": return 10
        default: return occurrence.subject == .configuration ? 3 : 99
        }
    }

    private static func status(_ outcome: Occurrence.Outcome) -> Int64 {
        switch outcome {
        case .unknown: return 0
        case .success: return 1
        case .failure: return 2
        }
    }

    private static func actor(_ occurrence: Occurrence) -> JSONValue {
        guard let name = occurrence.actor else { return ["app_name": "gatehouse"] }
        return ["app_name": "gatehouse", "user": ["name": .string(name)]]
    }

    private static func unmapped(_ occurrence: Occurrence) -> JSONValue {
        let event = occurrence.event
        var members = ElasticCommonSchema.object([
            ("certificate_sha256", occurrence.certificate), ("credential_id", occurrence.credential),
            ("gateway", event.gateway), ("issuer", occurrence.issuer), ("kind", event.kind),
            ("leaf_hash", event.leafHash), ("owner", occurrence.owner),
            ("policy_sha256", occurrence.policy), ("protocol", event.enrollmentProtocol),
            ("serial", occurrence.serial),
        ])
        if case .object(var named) = members, !occurrence.rules.isEmpty {
            named["rules"] = .array(occurrence.rules.map(JSONValue.string))
            members = .object(named)
        }
        return members
    }
}
