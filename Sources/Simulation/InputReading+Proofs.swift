import EnrollmentCore

// Verified proofs: an object of one member, named for the kind, whose value holds what belongs to it.

extension RecordReader {
    private enum ProofMember: String, CaseIterable {
        case account, clientCertificate, domainControl, oneTimeCredential
        static let all = MemberNames<ProofMember>()
    }

    static func proof(_ reader: inout RecordReader) throws(RecordError) -> VerifiedProof {
        var proof: VerifiedProof?
        try reader.object(ProofMember.all) { reader, member throws(RecordError) in
            guard proof == nil else { throw reader.error("a proof of two kinds") }
            switch member {
            case .account: proof = try account(&reader)
            case .clientCertificate: proof = try clientCertificate(&reader)
            case .domainControl: proof = try domainControl(&reader)
            case .oneTimeCredential: proof = try oneTimeCredential(&reader)
            }
        }
        return try reader.required(proof, "of a proof")
    }

    private enum CredentialMember: String, CaseIterable {
        case credential, device, id, state
        static let all = MemberNames<CredentialMember>()
    }

    private static func oneTimeCredential(_ reader: inout RecordReader) throws(RecordError) -> VerifiedProof {
        var id: CredentialID?
        var device: DeviceID?
        var state: CredentialState?
        try reader.object(CredentialMember.all) { reader, member throws(RecordError) in
            switch member {
            case .credential: try reader.skip()
            case .device: device = try deviceID(&reader)
            case .id: id = try credentialID(&reader)
            case .state: state = try reader.word(CredentialState.all, "a state of a credential")
            }
        }
        return .oneTimeCredential(
            id: try reader.required(id, "id"), device: try reader.required(device, "device"),
            state: try reader.required(state, "state"))
    }

    private static func account(_ reader: inout RecordReader) throws(RecordError) -> VerifiedProof {
        var id: String?
        var credential: CredentialID?
        var device: DeviceID?
        var state: CredentialState?
        try reader.object(CredentialMember.all) { reader, member throws(RecordError) in
            switch member {
            case .credential: credential = try credentialID(&reader)
            case .device: device = try deviceID(&reader)
            case .id: id = try reader.string()
            case .state: state = try reader.word(CredentialState.all, "a state of a credential")
            }
        }
        return .account(
            id: try reader.required(id, "id"), credential: try reader.required(credential, "credential"),
            device: try reader.required(device, "device"), state: try reader.required(state, "state"))
    }

    private enum CertificateMember: String, CaseIterable {
        case certificate, device, names, state
        static let all = MemberNames<CertificateMember>()
    }

    private static func clientCertificate(_ reader: inout RecordReader) throws(RecordError) -> VerifiedProof {
        var certificate: Digest?
        var device: DeviceID?
        var names: CertificateNames?
        var state: CertificateState?
        try reader.object(CertificateMember.all) { reader, member throws(RecordError) in
            switch member {
            case .certificate: certificate = try digest(&reader)
            case .device: device = try deviceID(&reader)
            case .names: names = try reader.certificateNames()
            case .state: state = try reader.word(CertificateState.all, "a state of a certificate")
            }
        }
        return .clientCertificate(
            certificate: try reader.required(certificate, "certificate"),
            device: try reader.required(device, "device"), state: try reader.required(state, "state"),
            names: try reader.required(names, "names"))
    }

    private enum ControlMember: String, CaseIterable {
        case list = "_0"
        static let all = MemberNames<ControlMember>()
    }

    private static func domainControl(_ reader: inout RecordReader) throws(RecordError) -> VerifiedProof {
        var authorizations: [DomainAuthorization]?
        try reader.object(ControlMember.all) { reader, member throws(RecordError) in
            switch member {
            case .list: authorizations = try reader.array(authorization)
            }
        }
        return .domainControl(try reader.required(authorizations, "_0"))
    }

    private enum AuthorizationMember: String, CaseIterable {
        case method, name, validatedAt
        static let all = MemberNames<AuthorizationMember>()
    }

    private static func authorization(_ reader: inout RecordReader) throws(RecordError)
        -> DomainAuthorization
    {
        var method: String?
        var name: String?
        var validatedAt: Timestamp?
        try reader.object(AuthorizationMember.all) { reader, member throws(RecordError) in
            switch member {
            case .method: method = try reader.string()
            case .name: name = try reader.string()
            case .validatedAt: validatedAt = try reader.instant()
            }
        }
        return DomainAuthorization(
            name: try reader.required(name, "name"), method: try reader.required(method, "method"),
            validatedAt: try reader.required(validatedAt, "validatedAt"))
    }

    private static func credentialID(_ reader: inout RecordReader) throws(RecordError) -> CredentialID {
        try reader.coded("a credential id") { CredentialID($0) }
    }
}

extension CredentialState {
    fileprivate static let all = MemberNames<CredentialState>()
}

extension CertificateState {
    fileprivate static let all = MemberNames<CertificateState>()
}
