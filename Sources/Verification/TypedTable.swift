import Database
import EnrollmentCore
import Simulation

/// A table whose rows repeat what entries say, and how each of its columns follows from the bodies.
enum TypedTable: Int, CaseIterable, Sendable {
    case request, decision, reservation, outcome, certificate, revocation, credential, credentialEvent,
        account
    case policyActivation, policySuccession, policyRefusal, adminEvent, alert, overdueReview, approval
    case redaction, redactedCommitment, rogueCertificate, rollback, retention

    /// As SQL calls it.
    var name: String {
        switch self {
        case .request: return "request"
        case .decision: return "decision"
        case .reservation: return "reservation"
        case .outcome: return "outcome"
        case .certificate: return "certificate"
        case .revocation: return "revocation"
        case .credential: return "credential"
        case .credentialEvent: return "credential_event"
        case .account: return "account"
        case .policyActivation: return "policy_activation"
        case .policySuccession: return "policy_succession"
        case .policyRefusal: return "policy_refusal"
        case .adminEvent: return "admin_event"
        case .alert: return "alert"
        case .overdueReview: return "overdue_review"
        case .approval: return "approval"
        case .redaction: return "redaction"
        case .redactedCommitment: return "redacted_commitment"
        case .rogueCertificate: return "rogue_certificate"
        case .rollback: return "rollback"
        case .retention: return "retention"
        }
    }

    /// The tables in which an entry has its row.
    static func tables(of kind: EntryKind, _ body: RecordMembers) -> [TypedTable] {
        switch kind {
        case .request: return [.request]
        case .decision: return [.decision]
        case .reservation: return [.reservation]
        case .certificate: return [.outcome, .certificate]
        case .failure: return [.outcome]
        case .revocation: return [.revocation]
        case .credential:
            return body.is("kind", word: "mint") ? [.credential, .credentialEvent] : [.credentialEvent]
        case .account: return [.account]
        case .policy:
            return body.is("verdict", word: "refused")
                ? [.policyRefusal] : [.policyActivation, .policySuccession]
        case .admin: return [.adminEvent]
        case .alert:
            switch body.text("detector") {
            case "review-overdue": return [.alert, .overdueReview]
            case "rogue-certificate": return [.alert, .rogueCertificate]
            default: return [.alert]
            }
        case .approval: return [.approval]
        case .redaction: return [.redaction, .redactedCommitment]
        case .rollback: return [.rollback]
        case .retention: return [.retention]
        }
    }

    /// How many rows of this table an entry has.
    func rows(of body: RecordMembers) -> Int { self == .redactedCommitment ? body.commitments.count : 1 }
}

/// What an entry tells of.
enum EntryKind: String, Sendable, CaseIterable {
    case request, decision, reservation, certificate, failure, revocation, credential, account, policy, admin
    case alert, approval, redaction, retention, rollback

    /// The members that a body of this kind has and no other kind has together: the kind is not hashed, so it
    /// must show in the body.
    var members: [StaticString] {
        switch self {
        case .request: return ["request_id", "kind", "received_at", "protocol"]
        case .decision: return ["request_id", "decided_at", "effect", "decided_by"]
        case .reservation: return ["request_id", "tbs_sha256", "signing_deadline"]
        case .certificate: return ["request_id", "tbs_sha256", "certificate_sha256", "signed_at"]
        case .failure: return ["request_id", "serial", "at", "issuer", "reason"]
        case .revocation: return ["issuer", "serial", "at", "reason", "actor", "why"]
        case .credential: return ["credential_id", "kind", "at"]
        case .account: return ["request_id", "account_id", "order_until", "credential_id"]
        case .policy: return ["policy_sha256", "at", "actor"]
        case .admin: return ["at", "actor", "action", "target", "reason"]
        case .alert: return ["at", "detector", "severity", "subject"]
        case .approval: return ["request_id", "approver", "verdict", "at"]
        case .redaction: return ["commitments", "at", "actor", "reason"]
        case .rollback: return ["generation", "lost_size", "lost_root", "at", "actor"]
        case .retention: return ["month", "from_id", "to_id", "entries", "manifest_sha256"]
        }
    }

    /// Members that a body of this kind never has, where another kind has all of `members` too.
    var foreign: [StaticString] { self == .failure ? ["why"] : [] }

    /// Whether a body is of this kind.
    func fits(_ body: RecordMembers) -> Bool {
        members.allSatisfy { body.place($0) != nil } && foreign.allSatisfy { body.place($0) == nil }
    }
}

/// What else of its request a row is compared with.
struct BodyContext {
    let request: RecordMembers?
    let decision: RecordMembers?
    /// What was reserved for the request.
    let reserved: CertificateFields?
    /// The id of the credential that the request names.
    let credential: [UInt8]?
}

/// One column and where in the bodies its value stands.
struct Column: Sendable {
    enum Part: Sendable { case own, request, decision }

    enum Rule: Sendable {
        /// Text, octets in hexadecimal, a UUID, an RFC 3339 time, a list of texts, or any JSON, in a member.
        case text(StaticString), hex(StaticString), id(StaticString), time(StaticString)
        case texts(StaticString), json(StaticString)
        /// A number written as text; the value where there is none.
        case number(StaticString, orElse: Int64?)
        /// `true` or `false` written as text; false where there is none.
        case flag(StaticString)
        /// The id of the credential that a request names.
        case credential
        /// Always this text.
        case constant(StaticString)
        /// A date that a text mentions.
        case mentioned(StaticString)
        /// `completed` or `closed`, by the kind of entry.
        case ending
        /// The request's id or the serial, if the ending is such and such.
        case idIfCompleted(StaticString), serialIfClosed(StaticString)
        /// How many commitments a redaction names; that it names this one.
        case commitments, commitment
        /// That of the key in the TBSCertificate.
        case keyAlgorithm
        /// The first day of a month.
        case firstDay(StaticString)
        /// Compared elsewhere.
        case elsewhere
    }

    let name: StaticString
    let rule: Rule
    var part = Part.own

    init(_ name: StaticString, _ rule: Rule, _ part: Part = .own) {
        self.name = name
        self.rule = rule
        self.part = part
    }

    /// Whether the value at `place` of a row is what the bodies say.
    ///
    /// - Parameters:
    ///   - own: the body of the row's entry, which is of that kind.
    ///   - context: of the same request.
    func holds(
        _ row: Row, _ place: Int, _ own: RecordMembers, _ kind: EntryKind, _ context: BodyContext
    ) throws(DatabaseError) -> Bool {
        switch part {
        case .own: return try holds(row, place, own, kind, in: context)
        case .request:
            guard let request = context.request else { return false }
            return try holds(row, place, request, kind, in: context)
        case .decision:
            guard let decision = context.decision else { return false }
            return try holds(row, place, decision, kind, in: context)
        }
    }

    private func holds(
        _ row: Row, _ place: Int, _ body: RecordMembers, _ kind: EntryKind, in context: BodyContext
    ) throws(DatabaseError) -> Bool {
        switch rule {
        case .text(let member):
            return try row.octets(place, orNull: body.place(member) == nil) { body.is(member, $0) }
        case .hex(let member):
            return try row.octets(place, orNull: body.place(member) == nil) { body.isHex(member, of: $0) }
        case .id(let member): return body.isUUID(member, try row.optionalUUIDNumber(place))
        case .time(let member):
            let time = try row.optionalTimestamp(place)
            return body.time(member) == time && (time != nil || body.place(member) == nil)
        case .texts(let member):
            return body.is(member, texts: try row.texts(place))
        case .json(let member):
            return try row.json(place, orNull: body.place(member) == nil) { body.is(member, json: $0) }
        case .number(let member, let otherwise):
            return try row.optionalInteger(place) == (body.text(member).map { Int64($0) } ?? otherwise)
        case .flag(let member): return try row.bool(place) == body.is(member, word: "true")
        case .credential:
            let id = context.credential
            return try row.octets(place, orNull: id == nil) { id.isSame(as: $0) }
        case .constant(let text): return try row.octets(place, orNull: false) { $0.is(text) }
        case .ending:
            let word: StaticString = kind == .certificate ? "completed" : "closed"
            return try row.octets(place, orNull: false) { $0.is(word) }
        case .mentioned, .idIfCompleted, .serialIfClosed, .commitments, .commitment, .keyAlgorithm, .firstDay,
            .elsewhere:
            return try holdsFurther(row, place, body, kind, in: context)
        }
    }

    /// The rules that few columns have.
    private func holdsFurther(
        _ row: Row, _ place: Int, _ body: RecordMembers, _ kind: EntryKind, in context: BodyContext
    ) throws(DatabaseError) -> Bool {
        let isCompleted = kind == .certificate
        switch rule {
        case .mentioned(let member): return body.text(member)?.contains(try row.text(place)) == true
        case .idIfCompleted(let member):
            let id = try row.optionalUUIDNumber(place)
            return isCompleted ? body.isUUID(member, id) : id == nil
        case .serialIfClosed(let member):
            return try row.octets(place, orNull: isCompleted || body.place(member) == nil) {
                !isCompleted && body.isHex(member, of: $0)
            }
        case .commitments: return try row.integer(place) == Int64(body.commitments.count)
        case .commitment: return body.commitments.contains(try row.bytes(place))
        case .keyAlgorithm:
            let algorithm = context.reserved?.keyAlgorithm.map { Array($0.utf8) }
            return try row.octets(place, orNull: algorithm == nil) { algorithm.isSame(as: $0) }
        case .firstDay(let member):
            return try row.octets(place) == (body.octets(member) ?? []) + Array("-01".utf8)
        case .elsewhere: return true
        case .text, .hex, .id, .time, .texts, .json, .number, .flag, .credential, .constant, .ending:
            return try holds(row, place, body, kind, in: context)
        }
    }
}

extension Span<UInt8> {
    fileprivate func `is`(_ text: StaticString) -> Bool {
        count == text.utf8CodeUnitCount && has(text, at: 0)
    }
}

extension [UInt8] {
    fileprivate func isSame(as other: Span<UInt8>) -> Bool {
        count == other.count && span.has(other, at: 0)
    }
}

extension [UInt8]? {
    fileprivate func isSame(as other: Span<UInt8>) -> Bool { map { $0.isSame(as: other) } ?? false }
}
