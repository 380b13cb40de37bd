/// What the directory knows of one device, as of the instant it was asked. Unknown and stale are values.
package struct DeviceFacts: Sendable, Hashable, Codable {
    package var id: DeviceID
    package var serial: String?
    package var udid: String?
    package var groups: [String]
    /// DNS names granted to the device, lower-case A-labels.
    package var dns: [String]
    package var email: [String]
    package var upn: [String]
    /// Windows security identifier, e.g. `S-1-5-21-1-2-3-1105`.
    package var sid: String?
    /// The person answerable for the device.
    package var owner: String?
    /// One fact for each posture source that has reported, ordered by source.
    package var posture: [PostureFact]

    package init(
        id: DeviceID, serial: String? = nil, udid: String? = nil, groups: [String] = [], dns: [String] = [],
        email: [String] = [], upn: [String] = [], sid: String? = nil, owner: String? = nil,
        posture: [PostureFact] = []
    ) {
        self.id = id
        self.serial = serial
        self.udid = udid
        self.groups = groups.sorted()
        self.dns = dns.sorted()
        self.email = email.sorted()
        self.upn = upn.sorted()
        self.sid = sid
        self.owner = owner
        self.posture = posture.sorted { $0.source < $1.source }
    }
}

/// What one source last said about a device's security state (RFC 5209).
package struct PostureFact: Sendable, Hashable, Codable {
    /// The source's name in the catalog, e.g. `intune`.
    package var source: String
    package var status: PostureStatus
    /// Nil when the source cannot tell.
    package var jailbroken: Bool?
    /// When the source observed it; nil when the source could not be reached for a first answer.
    package var observedAt: Timestamp?

    enum CodingKeys: String, CodingKey {
        case source, status, jailbroken
        case observedAt = "observed_at"
    }

    package init(source: String, status: PostureStatus, jailbroken: Bool? = nil, observedAt: Timestamp?) {
        self.source = source
        self.status = status
        self.jailbroken = jailbroken
        self.observedAt = observedAt
    }
}

/// A normalised posture verdict. Only `compliant` is good; `unknown` and `unavailable` may change.
package enum PostureStatus: String, Sendable, Hashable, Codable, CaseIterable {
    case compliant, noncompliant
    /// The source knows the device and has no verdict.
    case unknown
    /// The source could not be asked.
    case unavailable
}

/// What the ledger knows that bears on a decision, read before it.
package struct HistoryFacts: Sendable, Hashable, Codable {
    /// Unexpired, unrevoked certificates of the device in this service, reserved ones included.
    package var activeCertificates: Int
    /// Whether the key has a certificate, live, reserved or not, under another device.
    package var keySeenOnOtherDevice: Bool
    /// Whether the key was revoked for compromise.
    package var keyBlocked: Bool
    /// Wrong guesses at the credential that is offered now.
    package var failedAttempts: Int
    /// Kinds of the proofs by which the device got its latest certificate in this service, sorted; empty
    /// before its first.
    package var lastProofs: [String]
    /// Who minted the credential that is offered now; nil without one.
    package var mintedBy: String?

    enum CodingKeys: String, CodingKey {
        case activeCertificates = "active_certificates"
        case keySeenOnOtherDevice = "key_seen_on_other_device"
        case keyBlocked = "key_blocked"
        case failedAttempts = "failed_attempts"
        case lastProofs = "last_proofs"
        case mintedBy = "minted_by"
    }

    package init(
        activeCertificates: Int = 0, keySeenOnOtherDevice: Bool = false, keyBlocked: Bool = false,
        failedAttempts: Int = 0, lastProofs: [String] = [], mintedBy: String? = nil
    ) {
        self.activeCertificates = activeCertificates
        self.keySeenOnOtherDevice = keySeenOnOtherDevice
        self.keyBlocked = keyBlocked
        self.failedAttempts = failedAttempts
        self.lastProofs = lastProofs.sorted()
        self.mintedBy = mintedBy
    }

    /// Reads facts as recorded; the later ones were not always among them.
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            activeCertificates: try members.decode(Int.self, forKey: .activeCertificates),
            keySeenOnOtherDevice: try members.decode(Bool.self, forKey: .keySeenOnOtherDevice),
            keyBlocked: try members.decode(Bool.self, forKey: .keyBlocked),
            failedAttempts: try members.decodeIfPresent(Int.self, forKey: .failedAttempts) ?? 0,
            lastProofs: try members.decodeIfPresent([String].self, forKey: .lastProofs) ?? [],
            mintedBy: try members.decodeIfPresent(String.self, forKey: .mintedBy))
    }
}
