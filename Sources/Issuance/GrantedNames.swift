import EnrollmentCore
import PKIX

/// Granted names in the form a certificate carries.
enum GrantedNames {
    /// The subject: the other attributes in their order, the common name last.
    static func subject(_ names: CertificateNames) throws(IssuanceError) -> DistinguishedName {
        var attributes: [NameAttribute] = []
        for attribute in names.otherSubjectAttributes {
            let parts = attribute.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let type = OID(String(parts[0])) else {
                throw .unusableGrant("subject attribute")
            }
            attributes.append(NameAttribute(type, String(parts[1])))
        }
        if let commonName = names.commonName { attributes.append(NameAttribute(.commonName, commonName)) }
        return DistinguishedName(attributes: attributes)
    }

    /// The subject alternative names, kind by kind.
    static func alternatives(_ names: CertificateNames) throws(IssuanceError) -> [GeneralName] {
        guard names.unsupported.isEmpty else { throw .unusableGrant("unsupported kind of name") }
        var addresses: [GeneralName] = []
        for text in names.ip {
            guard let octets = IPAddressText.decode(text) else { throw .unusableGrant("IP address") }
            addresses.append(.ip(octets))
        }
        return names.dns.map(GeneralName.dns) + names.email.map(GeneralName.email)
            + names.uri.map(GeneralName.uri) + addresses + names.upn.map(GeneralName.userPrincipalName)
    }
}
