import EnrollmentCore

/// Whether a value that a rule names can be an attribute's at all: one that cannot is a slip, and the rule
/// would never say what its author means.
enum AttributeValue {
    /// What is wrong with a value, and what to write instead.
    struct Fault: Error, Hashable {
        let message: String
        let remedy: String
    }

    /// The words that the program knows all of; nil where any value of the kind may stand. Groups are the
    /// catalog's.
    static func words(of attribute: Attribute) -> (kind: String, known: [String])? {
        switch attribute {
        case .requestKeyAlgorithm: return ("key algorithm", KeyAlgorithm.allCases.map(\.rawValue))
        case .requestProtocol: return ("protocol", EnrollmentProtocol.allCases.map(\.rawValue))
        case .requestOperation: return ("operation", EnrollmentOperation.allCases.map(\.rawValue))
        case .deviceLastProof: return ("proof", VerifiedProof.kindNames)
        case .deviceID, .deviceSerial, .deviceUDID, .deviceSID, .deviceOwner, .deviceGroup, .deviceDNS,
            .deviceEmail, .deviceUPN, .deviceActiveCertificates, .credentialFailedAttempts, .requestInstant,
            .requestCommonName, .requestDNS, .requestEmail, .requestUPN, .requestValidity, .clientAddress:
            return nil
        }
    }

    /// What keeps `text` from being a value of `attribute`; nil when nothing does.
    static func fault(in text: String, of attribute: Attribute) -> Fault? {
        if let (kind, known) = words(of: attribute) {
            return known.contains(text)
                ? nil
                : Fault(message: "unknown \(kind) `\(text)`", remedy: spellingRemedy(text, among: known))
        }
        if attribute == .deviceID, DeviceID(text) == nil {
            return Fault(
                message: "`\(text)` is not a device id",
                remedy: "1 to 64 ASCII letters, digits, dots, underscores and hyphens")
        }
        if attribute == .deviceSID, !text.hasPrefix("S-1-") {
            return Fault(message: "`\(text)` is not a security identifier", remedy: "write S-1-5-21-…")
        }
        switch attribute.kind {
        case .dnsNames: return nameFault(text)
        case .mailNames: return mailFault(text)
        case .text, .words, .number, .duration, .instant, .address: return nil
        }
    }

    /// What keeps a pattern with one `*` from matching any value of `attribute`.
    static func fault(inGlob text: String, of attribute: Attribute) -> Fault? {
        switch attribute.kind {
        case .dnsNames:
            guard let stranger = text.unicodeScalars.first(where: { $0 != "*" && $0 != "." && !isLabel($0) })
            else { return nil }
            return Fault(message: "no DNS name holds `\(stranger)`", remedy: "write names as A-labels")
        case .text where attribute == .deviceID:
            let bare = text.filter { $0 != "*" }
            return DeviceID(bare) == nil ? fault(in: bare, of: attribute) : nil
        case .text, .mailNames, .words, .number, .duration, .instant, .address: return nil
        }
    }

    /// RFC 1123 §2.1 names, wildcards and underscores besides: what a request may ask for.
    static func nameFault(_ text: String) -> Fault? {
        if text.hasSuffix(".") {
            return Fault(message: "`\(text)` ends in a dot", remedy: "write `\(text.dropLast())`")
        }
        if !text.utf8.allSatisfy({ $0 < 0x80 }) {
            return Fault(
                message: "`\(text)` is not an ASCII name", remedy: "write its A-labels, which begin with xn--"
            )
        }
        let bare = text.hasPrefix("*.") ? text.dropFirst(2) : text[...]
        let labels = bare.split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            text.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.unicodeScalars.allSatisfy(isLabel)
                    && !label.hasPrefix("-") && !label.hasSuffix("-")
            }
        return isName
            ? nil : Fault(message: "`\(text)` is not a DNS name", remedy: "write it as in host.corp.example")
    }

    private static func isLabel(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_": return true
        default: return false
        }
    }

    /// Something, an at sign, and a domain.
    private static func mailFault(_ text: String) -> Fault? {
        guard let at = text.lastIndex(of: "@"), at > text.startIndex,
            nameFault(String(text[text.index(after: at)...])) == nil, !text.contains(" ")
        else {
            return Fault(message: "`\(text)` has no user and domain", remedy: "write user@corp.example")
        }
        return nil
    }
}
