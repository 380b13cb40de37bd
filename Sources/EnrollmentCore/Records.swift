// Rows of the ledger as values. They are copies made by Registration, so that rows stay stable while the
// types of policy and issuance change, and so that Ledger needs neither.

/// A request that was judged, with its decision.
package struct AttemptRecord: Sendable {
    /// What was asked of policy, and with which of its questions it is replayed: a certificate, whether one
    /// could be had, or an ACME account.
    package enum Kind: String, Sendable { case enroll, assess, bind }

    package let id: RequestID
    package let kind: Kind
    package let receivedAt: Timestamp
    /// Nil for an assessment, which has no certificate request yet.
    package let key: TransactionKey?
    package let reference: TransactionReference?
    package let input: PolicyInput
    package let decision: DecisionRecord
    /// The credential whose use belongs to this transaction, if one was offered or stands behind the account.
    package let credential: CredentialUse?
    /// The earlier request this one decides again (a poll, or a race that was lost).
    package let follows: RequestID?

    package init(
        id: RequestID, kind: Kind, receivedAt: Timestamp, key: TransactionKey?,
        reference: TransactionReference?,
        input: PolicyInput, decision: DecisionRecord, credential: CredentialUse?, follows: RequestID? = nil
    ) {
        self.id = id
        self.kind = kind
        self.receivedAt = receivedAt
        self.key = key
        self.reference = reference
        self.input = input
        self.decision = decision
        self.credential = credential
        self.follows = follows
    }
}

/// The use of one credential by one transaction. Looked at again in SQL under the credential's row lock.
package struct CredentialUse: Sendable, Hashable {
    package let id: CredentialID
    package let device: DeviceID
    package let service: ServiceName
    /// Whether the credential is spent by this use. An ACME account's orders do not spend it again, but
    /// revocation of the credential, and the end of the account, are still checked.
    package let consumes: Bool

    package init(id: CredentialID, device: DeviceID, service: ServiceName, consumes: Bool) {
        self.id = id
        self.device = device
        self.service = service
        self.consumes = consumes
    }
}

/// The three outcomes of policy.
package enum DecisionEffect: String, Sendable, Hashable, Codable { case permit, `defer`, deny }

/// Who decided. Deciding again on the recorded input agrees with `policy` only (invariant I5).
package enum DecisionAuthority: String, Sendable, Hashable, Codable {
    case policy
    /// Policy permitted, but no certificate could be made of it.
    case issuance
    /// Refused before policy was asked.
    case registration
}

/// A decision as recorded.
package struct DecisionRecord: Sendable, Hashable {
    package let effect: DecisionEffect
    /// Stable, e.g. `no-rule`, `posture.stale`.
    package let reasonCode: String
    /// One sentence for the auditor.
    package let reason: String
    /// Every rule that carried the outcome, sorted.
    package let ruleIDs: [String]
    /// The team answerable for the outcome.
    package let owner: String
    /// SHA-256 of the policy bundle.
    package let policy: Digest
    /// The profile granted; nil unless permitted.
    package let profile: ProfileName?
    /// The latest notAfter granted; nil unless permitted.
    package let maximumNotAfter: Timestamp?
    package let obligations: JSONValue
    package let trace: JSONValue
    package let decidedBy: DecisionAuthority

    package init(
        effect: DecisionEffect, reasonCode: String, reason: String, ruleIDs: [String], owner: String,
        policy: Digest, profile: ProfileName?, maximumNotAfter: Timestamp?, obligations: JSONValue,
        trace: JSONValue, decidedBy: DecisionAuthority = .policy
    ) {
        self.effect = effect
        self.reasonCode = reasonCode
        self.reason = reason
        self.ruleIDs = ruleIDs
        self.owner = owner
        self.policy = policy
        self.profile = profile
        self.maximumNotAfter = maximumNotAfter
        self.obligations = obligations
        self.trace = trace
        self.decidedBy = decidedBy
    }
}

/// A request refused before policy could judge it.
package struct RefusalRecord: Sendable {
    package let request: RefusedRequest
    /// The service's owner, or the bundle's when the service is unknown.
    package let owner: String
    /// SHA-256 of the active policy bundle.
    package let policy: Digest
    /// When it was refused.
    package let decidedAt: Timestamp
    /// The credential that was guessed at, when an id could be read.
    package let credential: CredentialID?

    package init(
        request: RefusedRequest, owner: String, policy: Digest, decidedAt: Timestamp,
        credential: CredentialID? = nil
    ) {
        self.request = request
        self.owner = owner
        self.policy = policy
        self.decidedAt = decidedAt
        self.credential = credential
    }
}

/// A security alert as recorded.
package struct AlertRecord: Sendable {
    /// How urgent it is.
    package enum Severity: String, Sendable { case info, warn, high, critical }

    package let at: Timestamp
    /// What noticed it; stable, e.g. `credential-reuse`.
    package let detector: String
    package let severity: Severity
    /// The team it is for.
    package let owner: String
    /// What it is about: a credential or device id.
    package let subject: String
    /// The request that gave rise to it, as recorded.
    package let request: RequestID
    /// One sentence for the auditor.
    package let detail: String

    package init(
        at: Timestamp, detector: String, severity: Severity, owner: String, subject: String,
        request: RequestID, detail: String
    ) {
        self.at = at
        self.detector = detector
        self.severity = severity
        self.owner = owner
        self.subject = subject
        self.request = request
        self.detail = detail
    }
}

/// What is reserved: exactly the bytes that will be signed.
package struct ReservationRecord: Sendable {
    /// The issuing CA's name, as in paths, e.g. `issuing`.
    package let issuer: String
    /// 17 octets: positive, one instance octet and 16 random ones.
    package let serial: [UInt8]
    /// DER of the TBSCertificate.
    package let tbsCertificate: [UInt8]
    package let publicKey: Digest
    package let names: CertificateNames
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    /// After this instant a retry or a start-up may close the reservation.
    package let signingDeadline: Timestamp

    package init(
        issuer: String, serial: [UInt8], tbsCertificate: [UInt8], publicKey: Digest, names: CertificateNames,
        notBefore: Timestamp, notAfter: Timestamp, signingDeadline: Timestamp
    ) {
        self.issuer = issuer
        self.serial = serial
        self.tbsCertificate = tbsCertificate
        self.publicKey = publicKey
        self.names = names
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.signingDeadline = signingDeadline
    }
}

/// A signed certificate on its way into the ledger.
package struct SignedCertificateRecord: Sendable {
    /// DER.
    package let certificate: [UInt8]
    package let signedAt: Timestamp

    package init(certificate: [UInt8], signedAt: Timestamp) {
        self.certificate = certificate
        self.signedAt = signedAt
    }
}
