import EnrollmentCore
import Policy

extension RequestSketch {
    /// The request as the `base` of a case, which `gatehouse policy explain` reads too.
    package var yaml: String {
        var lines = [
            "service: \(service)", "profile: \(profile)", "protocol: \(enrollmentProtocol.rawValue)",
        ]
        if operation != .enroll { lines.append("operation: \(operation.rawValue)") }
        if instant != Self.defaultInstant { lines.append("at: \(Self.quoted(instant.rfc3339))") }
        lines.append("device: " + Self.mapping(deviceMembers))
        if !posture.isEmpty {
            lines.append("posture:")
            lines += posture.map { "  - " + Self.mapping(Self.members(of: $0)) }
        }
        lines.append("proof: " + Self.mapping(proofMembers))
        if !requestMembers.isEmpty { lines.append("csr: " + Self.mapping(requestMembers)) }
        if !historyMembers.isEmpty { lines.append("history: " + Self.mapping(historyMembers)) }
        if !approvals.isEmpty {
            lines.append("approvals:")
            lines += approvals.map { word in
                "  - "
                    + Self.mapping([
                        ("by", Self.quoted(word.approver)), ("verdict", word.verdict.rawValue),
                        ("age", Self.duration(word.age)),
                    ])
            }
        }
        if clientAddress != "192.0.2.1" { lines.append("client_address: " + Self.quoted(clientAddress)) }
        return lines.joined(separator: "\n")
    }

    private var deviceMembers: [(String, String)] {
        var members = [("id", Self.quoted(deviceID))]
        let texts = [("serial", serial), ("udid", udid), ("sid", sid), ("owner", owner)]
        for (key, text) in texts { if let text { members.append((key, Self.quoted(text))) } }
        let lists = [("group", groups), ("dns", deviceDNS), ("email", deviceEmail), ("upn", deviceUPN)]
        for (key, values) in lists where !values.isEmpty { members.append((key, Self.list(values))) }
        return members
    }

    private var proofMembers: [(String, String)] {
        let bound = Self.mapping([("bound_to", Self.quoted(deviceID))])
        var members: [(String, String)] = []
        if hasCredential { members.append(("one_time_credential", bound)) }
        if hasCertificate { members.append(("certificate_of_ours", bound)) }
        if let age = domainControlAge, !requestDNS.isEmpty {
            members.append(
                (
                    "domain_control",
                    Self.mapping([("names", Self.list(requestDNS)), ("age", Self.duration(age))])
                ))
        }
        return members
    }

    private var requestMembers: [(String, String)] {
        var members: [(String, String)] = []
        if let commonName { members.append(("common_name", Self.quoted(commonName))) }
        let lists = [("dns", requestDNS), ("email", requestEmail), ("upn", requestUPN)]
        for (key, values) in lists where !values.isEmpty { members.append((key, Self.list(values))) }
        if !usages.isEmpty { members.append(("extended_key_usage", Self.list(usages))) }
        if let validity { members.append(("validity", Self.duration(validity))) }
        if keyAlgorithm != .p256 { members.append(("key", keyAlgorithm.rawValue)) }
        return members
    }

    private var historyMembers: [(String, String)] {
        var members: [(String, String)] = []
        if activeCertificates != 0 { members.append(("active_certificates", String(activeCertificates))) }
        if failedAttempts != 0 { members.append(("failed_attempts", String(failedAttempts))) }
        if !lastProofs.isEmpty { members.append(("last_proofs", Self.list(lastProofs))) }
        if let mintedBy { members.append(("minted_by", Self.quoted(mintedBy))) }
        return members
    }

    private static func members(of fact: Posture) -> [(String, String)] {
        var members = [("source", fact.source), ("status", fact.status.rawValue)]
        if let jailbroken = fact.jailbroken { members.append(("jailbroken", String(jailbroken))) }
        if let age = fact.age {
            members.append(age < 0 ? ("from_now", duration(-age)) : ("age", duration(age)))
        }
        return members
    }

    private static func mapping(_ members: [(String, String)]) -> String {
        "{ " + members.map { "\($0): \($1)" }.joined(separator: ", ") + " }"
    }

    private static func list(_ values: [String]) -> String {
        "[" + values.map(quoted).joined(separator: ", ") + "]"
    }

    /// Quoted unless no reader could take it for anything but text.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x61...0x7a).contains(byte) || (0x41...0x5a).contains(byte) || (0x30...0x39).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
        let words: Set<String> = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
        let startsWithLetter = text.utf8.first.map { $0 >= 0x41 } ?? false
        if isPlain, startsWithLetter, !words.contains(asciiLowercased(text)) { return text }
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }

    /// In the largest unit that loses nothing.
    static func duration(_ seconds: Int64) -> String {
        for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60)] as [(String, Int64)]
        where seconds != 0 && seconds % size == 0 {
            return "\(seconds / size)\(unit)"
        }
        return "\(seconds)s"
    }
}
