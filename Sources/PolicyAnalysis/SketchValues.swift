import EnrollmentCore
import Policy

extension RequestSketch {
    /// Gives an attribute of texts or names these values; none makes it absent. Numbers, instants, addresses,
    /// protocol, operation and key have dimensions that set them directly.
    mutating func set(_ attribute: Attribute, to values: [String]) {
        switch attribute {
        case .deviceID: if let value = values.first { deviceID = value }
        case .deviceSerial: serial = values.first
        case .deviceUDID: udid = values.first
        case .deviceSID: sid = values.first
        case .deviceOwner: owner = values.first
        case .deviceGroup: groups = values
        case .deviceDNS: deviceDNS = values
        case .deviceEmail: deviceEmail = values
        case .deviceUPN: deviceUPN = values
        case .deviceLastProof: lastProofs = values
        case .requestCommonName: commonName = values.first
        case .requestDNS: requestDNS = values
        case .requestEmail: requestEmail = values
        case .requestUPN: requestUPN = values
        case .clientAddress: if let value = values.first { clientAddress = value }
        case .deviceActiveCertificates, .credentialFailedAttempts, .requestProtocol, .requestOperation,
            .requestInstant, .requestKeyAlgorithm, .requestValidity:
            break
        }
    }

    /// Adds one value to an attribute of names.
    mutating func add(_ value: String, to attribute: Attribute) {
        switch attribute {
        case .deviceGroup: groups.append(value)
        case .deviceDNS: deviceDNS.append(value)
        case .deviceEmail: deviceEmail.append(value)
        case .deviceUPN: deviceUPN.append(value)
        case .deviceLastProof: lastProofs.append(value)
        case .requestDNS: requestDNS.append(value)
        case .requestEmail: requestEmail.append(value)
        case .requestUPN: requestUPN.append(value)
        case .deviceID, .deviceSerial, .deviceUDID, .deviceSID, .deviceOwner, .deviceActiveCertificates,
            .credentialFailedAttempts, .requestProtocol, .requestOperation, .requestInstant,
            .requestCommonName, .requestKeyAlgorithm, .requestValidity, .clientAddress:
            break
        }
    }
}
