import EnrollmentCore
package import Ledger

/// How events are written for other systems: one line of text an event, without a line feed.
package enum EventFormat: String, Sendable, Hashable, CaseIterable {
    /// Elastic Common Schema 8.17, JSON.
    case ecs
    /// Open Cybersecurity Schema Framework 1.5.0, JSON.
    case ocsf
    /// ArcSight Common Event Format, CEF:0.
    case cef

    /// One event in this format.
    ///
    /// The text has no control characters, no secret (bodies hold none), and at most 7,500 octets. A personal
    /// value that a body commits to stays away, as does its commitment.
    ///
    /// - Parameter sendsPersonal: whether client addresses are written.
    package func text(of event: LedgerEvent, sendsPersonal: Bool = false) -> String {
        let occurrence = Occurrence(event, sendsPersonal: sendsPersonal)
        switch self {
        case .ecs: return ElasticCommonSchema.document(of: occurrence).canonicalText
        case .ocsf: return OpenCybersecuritySchema.document(of: occurrence).canonicalText
        case .cef: return CommonEventFormat.text(of: occurrence)
        }
    }
}
