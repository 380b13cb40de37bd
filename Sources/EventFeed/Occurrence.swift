import EnrollmentCore
import Foundation
package import Ledger

/// What an event says, before it is put into anybody's schema. Texts are of bounded length and hold no
/// control characters.
package struct Occurrence: Sendable, Hashable {
    /// How it went.
    package enum Outcome: String, Sendable { case success, failure, unknown }

    /// How much attention it needs.
    package enum Severity: Int, Sendable { case informational, low, medium, high, critical }

    /// What kind of thing it happened to.
    package enum Subject: String, Sendable {
        case request, certificate, credential, account, policy, configuration, ledger, alert
    }

    package let event: LedgerEvent
    package var subject = Subject.ledger
    /// Stable, e.g. `certificate.issued`.
    package var action: String
    package var outcome = Outcome.unknown
    package var severity = Severity.informational
    package var actor: String?
    package var reasonCode: String?
    package var reason: String?
    package var rules: [String] = []
    /// The team answerable.
    package var owner: String?
    package var issuer: String?
    package var serial: String?
    /// SHA-256 of the certificate, hexadecimal.
    package var certificate: String?
    package var credential: String?
    /// SHA-256 of the policy bundle, hexadecimal.
    package var policy: String?
    /// What else it was done to.
    package var target: String?
    package var clientAddress: String?

    /// - Parameter sendsPersonal: whether the client's address may be told.
    package init(_ event: LedgerEvent, sendsPersonal: Bool = false) {
        self.event = Self.cleaned(event)
        action = "ledger.\(event.kind)"
        if sendsPersonal { clientAddress = Self.clean(event.clientAddress, 64) }
        let body = Members(event.body)
        actor = body["actor"]
        reasonCode = body["reason_code"]
        reason = body["reason"]
        rules = body.texts("rule_ids")
        owner = body["owner"]
        issuer = body["issuer"]
        serial = body["serial"]
        certificate = body["certificate_sha256"]
        credential = body["credential_id"]
        policy = body["policy_sha256"]
        interpret(body)
    }

    /// One line for people: what happened, to what, how and why.
    package var message: String {
        var words = [action]
        if let device = event.device { words.append("device \(device)") }
        if let service = event.service { words.append("service \(service)") }
        if let serial { words.append("serial \(serial)") }
        if let target { words.append(target) }
        if let actor { words.append("by \(actor)") }
        if let why = reason ?? reasonCode { words.append(why) }
        return Self.clean(words.joined(separator: ", "), 1_000) ?? action
    }

    /// What a refused request named need not be a name.
    private static func cleaned(_ event: LedgerEvent) -> LedgerEvent {
        LedgerEvent(
            index: event.index, entry: event.entry, kind: event.kind, recordedAt: event.recordedAt,
            request: event.request, service: clean(event.service, 200),
            enrollmentProtocol: clean(event.enrollmentProtocol, 31), operation: clean(event.operation, 31),
            device: clean(event.device, 64), gateway: clean(event.gateway, 100),
            clientAddress: clean(event.clientAddress, 64), body: event.body, leafHash: event.leafHash)
    }

    private mutating func interpret(_ body: Members) {
        switch event.kind {
        case "request": become(.request, "request.\(body["kind"] ?? "unknown")")
        case "decision": decide(body["effect"] ?? "unknown")
        case "reservation": become(.certificate, "certificate.reserved", .success)
        case "certificate": become(.certificate, "certificate.issued", .success)
        case "failure": become(.certificate, "certificate.closed", .failure, .medium)
        case "revocation":
            become(.certificate, "certificate.revoked", .success, .low)
            (reasonCode, reason) = (body["reason"], body["why"])
        case "credential": handleCredential(body["kind"] ?? "unknown")
        case "account":
            become(.account, "account.bound", .success)
            target = body["account_id"]
        case "approval":
            become(.request, "approval.\(body["verdict"] ?? "given")", .success, .low)
            actor = body["approver"] ?? actor
        case "policy":
            let isRefused = body["verdict"] == "refused"
            become(
                .policy, isRefused ? "policy.refused" : "policy.activated", isRefused ? .failure : .success,
                isRefused ? .medium : .low)
            reason = body["faults"]
        case "admin":
            become(.configuration, body["action"] ?? "admin", .success, .low)
            target = body["target"]
        case "alert": alert(body)
        case "rollback":
            become(.ledger, action, .unknown, .high)
            // From there on, indices are given again.
            target = body["present_size"].map { "leaf \($0)" }
        default: severity = .low  // redaction, retention, and what later versions record
        }
    }

    private mutating func decide(_ effect: String) {
        switch effect {
        case "permit": become(.request, "decision.permit", .success)
        case "deny": become(.request, "decision.deny", .failure, .low)
        default: become(.request, "decision.\(effect)")
        }
    }

    private mutating func handleCredential(_ act: String) {
        let isRefusal = act == "reject" || act == "alert"
        become(
            .credential, "credential.\(act)", isRefusal ? .failure : .success,
            isRefusal ? .medium : .informational)
    }

    private mutating func alert(_ body: Members) {
        become(.alert, "alert.\(body["detector"] ?? "unknown")")
        switch body["severity"] {
        case "warn": severity = .medium
        case "high": severity = .high
        case "critical": severity = .critical
        default: severity = .low
        }
        target = body["subject"]
        reason = body["detail"]
    }

    private mutating func become(
        _ subject: Subject, _ action: String, _ outcome: Outcome = .unknown,
        _ severity: Severity = .informational
    ) {
        self.subject = subject
        self.action = action
        self.outcome = outcome
        self.severity = severity
    }

    /// Text in which every control character is a space, of at most so many scalars; nil when it is empty.
    static func clean(_ text: String?, _ length: Int) -> String? {
        guard let text else { return nil }
        var output = ""
        for scalar in text.unicodeScalars.prefix(length) {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            let separates = scalar.value == 0x2028 || scalar.value == 0x2029
            output.unicodeScalars.append(isControl || separates ? " " : scalar)
        }
        return output.isEmpty ? nil : output
    }
}

/// The members of a body that are texts.
private struct Members {
    private let values: [String: JSONValue]

    init(_ body: String) {
        guard case .object(let members)? = try? JSONDecoder().decode(JSONValue.self, from: Data(body.utf8))
        else {
            values = [:]
            return
        }
        values = members
    }

    /// Nil for a commitment too: it says nothing to anybody but a verifier.
    subscript(_ name: String) -> String? {
        guard case .string(let text)? = values[name], !text.hasPrefix("commitment:") else { return nil }
        return Occurrence.clean(text, 300)
    }

    func texts(_ name: String) -> [String] {
        guard case .array(let items)? = values[name] else { return [] }
        return items.prefix(16).compactMap { item in
            guard case .string(let text) = item, !text.hasPrefix("commitment:") else { return nil }
            return Occurrence.clean(text, 64)
        }
    }
}
