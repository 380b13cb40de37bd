import EnrollmentCore
import Ledger

/// One event of every kind, with what the gateway records for it.
enum Samples {
    static let digest = String(repeating: "ab", count: 32)
    static let instant = Timestamp(seconds: 1_790_000_000)

    static let all: [LedgerEvent] = [
        event("request", ["kind": "enroll", "client_address": .string("commitment:\(digest)")]),
        event(
            "decision",
            [
                "effect": "deny", "reason_code": "posture.stale", "reason": "posture is older than a day",
                "rule_ids": ["vpn-posture", "base"], "owner": "Endpoint Security",
                "policy_sha256": .string(digest),
            ]),
        event("decision", ["effect": "permit", "reason_code": "permitted", "rule_ids": ["vpn"]]),
        event("decision", ["effect": "defer", "reason_code": "approval.needed"]),
        event("reservation", ["issuer": "issuing", "serial": "01ab"]),
        event(
            "certificate",
            ["issuer": "issuing", "serial": "01ab", "certificate_sha256": .string(digest)]),
        event("failure", ["issuer": "issuing", "serial": "01ab", "reason": "signing deadline passed"]),
        event(
            "revocation",
            [
                "issuer": "issuing", "serial": "01ab", "reason": "keyCompromise", "why": "lost",
                "actor": "os:ada",
            ]),
        event("credential", ["kind": "mint", "credential_id": "AAAAAAAAAAAAAAAA", "actor": "os:ada"]),
        event("credential", ["kind": "reject", "credential_id": "AAAAAAAAAAAAAAAA", "times": "3"]),
        event("account", ["account_id": "acct-1", "credential_id": "AAAAAAAAAAAAAAAA"]),
        event("approval", ["verdict": "approve", "approver": "os:ada", "reason": "known contractor"]),
        event(
            "policy", ["verdict": "activated", "policy_sha256": .string(digest), "actor": "gatehouse gw-1"]),
        event("policy", ["verdict": "refused", "policy_sha256": .string(digest), "faults": "a\nb"]),
        event("admin", ["action": "device.set", "target": "LT-1", "actor": "os:ada", "reason": "group"]),
        event(
            "alert",
            ["detector": "rogue-certificate", "severity": "critical", "subject": "01ab", "detail": "unknown"]),
        event("redaction", ["actor": "os:ada", "reason": "asked for"]),
        event("retention", ["count": "3"]), event("rollback", ["actor": "os:ada", "reason": "restored"]),
    ]

    /// What a device or a person may have put into every text.
    static let hostile = event(
        "revocation",
        [
            "issuer": .string(evil), "serial": .string(evil), "reason": .string(evil), "why": .string(evil),
            "actor": .string(evil), "rule_ids": .array(Array(repeating: .string(evil), count: 40)),
            "owner": .string(evil),
        ], device: String(evil.prefix(64)), address: "2001:db8::1")

    static let evil = String(
        repeating: "a|b\\c=d\n e\r\u{0}\u{1b}[2J\u{85}\u{2028}\"<14>1 ü\u{1F600} src=1.2.3.4 ", count: 40)

    static func event(
        _ kind: String, _ body: JSONValue, device: String? = "LT-1", address: String = "192.0.2.1"
    ) -> LedgerEvent {
        let hasRequest = !["policy", "admin", "redaction", "retention", "rollback"].contains(kind)
        return LedgerEvent(
            index: 41, entry: "01990000-0000-7000-8000-000000000001", kind: kind, recordedAt: instant,
            request: hasRequest ? "01990000-0000-7000-8000-000000000002" : nil,
            service: hasRequest ? "laptops" : nil, enrollmentProtocol: hasRequest ? "est" : nil,
            operation: hasRequest ? "enroll" : nil, device: hasRequest ? device : nil,
            gateway: hasRequest ? "gw-1" : nil, clientAddress: hasRequest ? address : nil,
            body: body.canonicalText, leafHash: digest)
    }
}
