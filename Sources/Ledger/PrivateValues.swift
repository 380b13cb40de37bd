import Database
import EnrollmentCore

/// The personal values of one request, each with the commitment that stands in its place in what is hashed:
/// SHA-256 over a random salt and the value. Without the salt a commitment tells nothing, not even of a value
/// that can be guessed.
struct PrivateValues: Sendable {
    private struct Value: Sendable {
        let commitment: Digest
        /// Where it stood first, e.g. `device.email`.
        let field: String
        /// 16 octets.
        let salt: [UInt8]
        let text: String
    }

    private var values: [Value] = []
    private var known: [String: String] = [:]
    private let random: any RandomSource

    init(random: any RandomSource) { self.random = random }

    /// What stands in the place of `text`: the same for the same text, so that what was equal stays so.
    mutating func commit(_ text: String, _ field: String) -> String {
        let text = text.storable
        if let before = known[text] { return before }
        let salt = random.octets(16)
        let commitment = Digest(of: salt + Array(text.utf8))
        let mark = "commitment:\(commitment)"
        values.append(Value(commitment: commitment, field: field, salt: salt, text: text))
        known[text] = mark
        return mark
    }

    /// What stands for a text that was committed to before; the text itself otherwise.
    func mark(_ text: String) -> String { known[text.storable] ?? text }

    /// For `ledger.keep_private`.
    var parameter: Parameter {
        .text(
            JSONValue.array(
                values.map { value in
                    [
                        "commitment": .string(value.commitment.description), "field": .string(value.field),
                        "salt": .string(Hex.encode(value.salt)), "value": .string(value.text),
                    ]
                }
            ).canonicalText)
    }
}

extension PrivateValues {
    /// What was decided about, with commitments in the place of whatever tells of a person rather than of a
    /// device: the client's address; the device's owner, SID, e-mail addresses and user principal names; and
    /// names of such kinds in the request and in the certificate that was shown.
    mutating func withoutPersons(_ input: PolicyInput) -> PolicyInput {
        var input = input
        input.clientAddress = commit(input.clientAddress, "client_address")
        if var device = input.device {
            device.owner = device.owner.map { commit($0, "device.owner") }
            device.sid = device.sid.map { commit($0, "device.sid") }
            device.email = device.email.map { commit($0, "device.email") }
            device.upn = device.upn.map { commit($0, "device.upn") }
            input.device = device
        }
        input.request.names = withoutPersons(input.request.names, "request.names")
        input.proofs = input.proofs.map { proof in
            switch proof {
            case .clientCertificate(let certificate, let device, let state, let names):
                return .clientCertificate(
                    certificate: certificate, device: device, state: state,
                    names: withoutPersons(names, "proofs.names"))
            case .oneTimeCredential, .account, .domainControl: return proof
            }
        }
        return input
    }

    private mutating func withoutPersons(_ names: CertificateNames, _ field: String) -> CertificateNames {
        var names = names
        if let common = names.commonName, common.contains("@") {
            names.commonName = commit(common, "\(field).commonName")
        }
        names.otherSubjectAttributes = names.otherSubjectAttributes.map { commit($0, "\(field).subject") }
        names.email = names.email.map { commit($0, "\(field).email") }
        names.upn = names.upn.map { commit($0, "\(field).upn") }
        return names
    }

    /// A decision's trace likewise: the values that conditions saw, and the names that were wished for and
    /// granted, which a rule may have made of the device's facts.
    mutating func withoutPersons(_ trace: JSONValue) -> JSONValue {
        switch trace {
        case .null, .bool, .integer, .string: return trace
        case .array(let elements): return .array(elements.map { withoutPersons($0) })
        case .object(let members):
            var clean: [String: JSONValue] = [:]
            for (key, value) in members {
                switch key {
                case "value": clean[key] = marked(value)
                case "names_wished": clean[key] = withoutPersons(names: value)
                case "names_granted":
                    guard case .object(let rules) = value else { continue }
                    clean[key] = .object(rules.mapValues { withoutPersons(names: $0) })
                default: clean[key] = withoutPersons(value)
                }
            }
            return .object(clean)
        }
    }

    private func marked(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool, .integer: return value
        case .string(let text): return .string(mark(text))
        case .array(let elements): return .array(elements.map(marked))
        case .object(let members): return .object(members.mapValues(marked))
        }
    }

    private mutating func withoutPersons(names: JSONValue) -> JSONValue {
        guard case .object(var kinds) = names else { return names }
        for kind in ["email", "upn", "subject"] {
            guard case .array(let listed)? = kinds[kind] else { continue }
            kinds[kind] = .array(
                listed.map { name in
                    guard case .string(let text) = name else { return name }
                    return .string(commit(text, "trace.names.\(kind)"))
                })
        }
        if case .string(let common)? = kinds["common_name"], common.contains("@") {
            kinds["common_name"] = .string(commit(common, "trace.names.common_name"))
        }
        return .object(kinds)
    }
}
