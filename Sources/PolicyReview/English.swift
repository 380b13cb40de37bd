import EnrollmentCore
import Policy

/// Words for what the policy language says in signs.
enum English {
    /// `4 hours`, `12 minutes`, `1 day 2 hours`: the two largest units that count.
    static func duration(_ seconds: Int64) -> String {
        let units: [(Int64, String)] = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")]
        var rest = seconds.magnitude
        var parts: [String] = []
        for (length, name) in units where parts.count < 2 {
            let count = rest / UInt64(length)
            rest %= UInt64(length)
            if count > 0 { parts.append("\(count) \(name)\(count == 1 ? "" : "s")") }
        }
        return parts.isEmpty ? "0 seconds" : parts.joined(separator: " ")
    }

    static func date(_ instant: Timestamp) -> String { String(instant.rfc3339.prefix(10)) }

    static func number(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// `Device Identity (device-identity@corp.example)`.
    static func owner(_ owner: Owner) -> Prose { "\(owner.team) (\(owner.contact))" }

    static func name(_ spoken: EnrollmentProtocol) -> String { spoken.rawValue.uppercased() }

    static func name(_ operation: EnrollmentOperation) -> String {
        switch operation {
        case .enroll: return "first enrolment"
        case .renew: return "renewal"
        case .rekey: return "renewal with a new key"
        }
    }

    static func name(_ usage: ExtendedKeyUsage) -> String {
        switch usage {
        case .clientAuth: return "client authentication"
        case .serverAuth: return "server authentication"
        }
    }

    /// A template as it is read: `{device.id}` alone is "the device's id".
    static func name(_ template: NameTemplate) -> Prose {
        if let only = template.variables.first, template.text == "{\(only.rawValue)}",
            let attribute = Attribute(rawValue: only.rawValue)
        {
            return name(attribute)
        }
        return "“\(template.text)”"
    }

    static func name(_ attribute: Attribute) -> Prose {
        switch attribute {
        case .deviceID: return "the device's id"
        case .deviceSerial: return "the device's serial number"
        case .deviceUDID: return "the device's UDID"
        case .deviceSID: return "the device's security identifier"
        case .deviceOwner: return "the device's owner"
        case .deviceGroup: return "the device's groups"
        case .deviceDNS: return "the device's DNS names"
        case .deviceEmail: return "the device's mail addresses"
        case .deviceUPN: return "the device's user principal names"
        case .deviceActiveCertificates: return "the number of the device's live certificates"
        case .deviceLastProof: return "the proofs behind the device's last certificate"
        case .credentialFailedAttempts: return "the number of wrong guesses at the credential"
        case .requestProtocol: return "the protocol"
        case .requestOperation: return "the operation"
        case .requestInstant: return "the time of the request"
        case .requestCommonName: return "the common name asked for"
        case .requestDNS: return "the DNS names asked for"
        case .requestEmail: return "the mail addresses asked for"
        case .requestUPN: return "the user principal names asked for"
        case .requestKeyAlgorithm: return "the kind of key"
        case .requestValidity: return "the validity asked for"
        case .clientAddress: return "the client's address"
        }
    }

    /// What a condition says, as a sentence without its stop, e.g. "the device is in group corp-laptops".
    ///
    /// - Parameter isNegated: whether it stands below a `none_of`.
    static func statement(_ condition: Condition, isNegated: Bool = false) -> Prose {
        func each(_ parts: [Condition], isNegated: Bool) -> [Prose] {
            parts.map { statement($0, isNegated: isNegated) }
        }
        switch condition.content {
        case .test(let test): return statement(test, isNegated: isNegated)
        case .all(let parts): return each(parts, isNegated: isNegated).list()
        case .any(let parts): return "either " + each(parts, isNegated: isNegated).list(", or ")
        case .none(let parts):
            let inner = each(parts, isNegated: !isNegated)
            return parts.count > 1
                ? "neither " + inner.list(" nor ") : "it is not so that " + inner.list()
        }
    }

    static func statement(_ test: Test, isNegated: Bool = false) -> Prose {
        switch test.subject {
        case .attribute(.deviceGroup, .oneOf(let groups)):
            return "the device is in group " + groups.map(Prose.policy).list(" or ")
        case .attribute(let attribute, let matcher): return statement(attribute, matcher, isNegated)
        case .posture(let source, let age):
            return
                """
                \(source) reported the device compliant at most \(duration(age)) ago, and no source \
                says otherwise
                """
        case .notJailbroken(let source, let age):
            let speaker = source.map(Prose.policy) ?? "a posture source"
            return
                """
                \(speaker) reported the device not jailbroken at most \(duration(age)) ago, and no source \
                says otherwise
                """
        case .oneTimeCredential: return "a usable one-time credential names the device"
        case .certificateOfOurs(let renewalOnly):
            return renewalOnly
                ? "a valid certificate of this service names the device, and it is to be renewed"
                : "a valid certificate of this service names the device"
        case .domainControl(let age):
            return "control of every DNS name asked for was shown at most \(duration(age)) ago"
        }
    }

    /// Whose word a rule waits for, as a noun.
    static func approval(_ terms: ApprovalTerms) -> Prose {
        let eyes: Prose = terms.needsFourEyes ? ", none of whom minted the credential" : ""
        return
            """
            approval by \(number(terms.count, "member")) of \(terms.team) within \
            \(duration(terms.within))\(eyes)
            """
    }

    /// Of what the client asks for every value must match, of what is looked up one.
    private static func statement(
        _ attribute: Attribute, _ matcher: AttributeMatcher, _ isNegated: Bool
    ) -> Prose {
        let some: Prose = attribute.isOfRequest && !isNegated ? "each of" : "one of"
        let subject: Prose = attribute.isList ? "\(some) \(name(attribute))" : name(attribute)
        switch matcher {
        case .oneOf(let values): return subject + " is " + values.map(Prose.policy).list(" or ")
        case .glob(let glob): return subject + " matches “\(glob.text)”"
        case .within(let ranges):
            return subject + " lies within " + ranges.map { .policy($0.text) }.list(" or ")
        case .between(let range): return subject + " is " + bounds(range, attribute.kind)
        case .equals(let other): return subject + " equals \(name(other))"
        case .subsetOf(let other): return "\(name(attribute)) are all among \(name(other))"
        }
    }

    private static func bounds(_ range: ClosedRange<Int64>, _ kind: Attribute.Kind) -> Prose {
        func text(_ value: Int64) -> Prose {
            switch kind {
            case .duration: return .policy(duration(value))
            case .instant: return .policy(Timestamp(microseconds: value).rfc3339)
            case .number, .text, .dnsNames, .mailNames, .words, .address: return .policy(String(value))
            }
        }
        let isTime = kind == .instant
        switch (range.lowerBound, range.upperBound) {
        case (.min, let high): return isTime ? "no later than \(text(high))" : "at most \(text(high))"
        case (let low, .max): return isTime ? "no earlier than \(text(low))" : "at least \(text(low))"
        case (let low, let high) where low == high: return text(low)
        case (let low, let high): return "between \(text(low)) and \(text(high))"
        }
    }
}

extension Attribute {
    /// Whether a device or a request may have several values of it.
    fileprivate var isList: Bool {
        switch kind {
        case .dnsNames, .mailNames: return true
        case .words: return self == .deviceGroup || self == .deviceLastProof
        case .text, .number, .duration, .instant, .address: return false
        }
    }
}
