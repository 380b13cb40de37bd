import EnrollmentCore

// Reading of `PolicyInput` and its parts. It agrees with their `Decodable` on everything the ledger holds, as
// the tests show: members that are not known are stepped over, those that came later may be missing.

extension RecordReader {
    private enum InputMember: String, CaseIterable {
        case approvals
        case claimedDevices = "claimed_devices"
        case clientAddress = "client_address"
        case device, history, instant, operation
        case enrollmentProtocol = "protocol"
        case proofs
        case provenDevice = "proven_device"
        case request
        case requestedProfile = "requested_profile"
        case service
        static let all = MemberNames<InputMember>()
    }

    /// The value of a member that must be there.
    func required<Value>(_ value: Value?, _ name: StaticString) throws(RecordError) -> Value {
        guard let value else { throw error("the member \(name) is missing") }
        return value
    }

    mutating func policyInput() throws(RecordError) -> PolicyInput {
        var parts = InputParts()
        try object(InputMember.all) { reader, member throws(RecordError) in
            switch member {
            case .service: parts.service = try reader.string()
            case .requestedProfile: parts.requestedProfile = try reader.optional(Self.text)
            case .enrollmentProtocol:
                parts.enrollmentProtocol = try reader.word(EnrollmentProtocol.all, "a protocol")
            case .operation: parts.operation = try reader.word(EnrollmentOperation.all, "an operation")
            case .instant: parts.instant = try reader.instant()
            case .request: parts.request = try reader.requestFacts()
            case .proofs: parts.proofs = try reader.array(Self.proof)
            case .claimedDevices: parts.claimedDevices = try reader.array(Self.text)
            case .provenDevice: parts.provenDevice = try reader.optional(Self.deviceID)
            case .device: parts.device = try reader.optional(Self.deviceFacts)
            case .history: parts.history = try reader.historyFacts()
            case .approvals: parts.approvals = try reader.optional(Self.approvals) ?? []
            case .clientAddress: parts.clientAddress = try reader.string()
            }
        }
        return try parts.input(self)
    }

    // MARK: Leaves, in the shape that `array` and `optional` take

    static func text(_ reader: inout RecordReader) throws(RecordError) -> String { try reader.string() }

    private static func approvals(_ reader: inout RecordReader) throws(RecordError) -> [Approval] {
        try reader.array(approval)
    }

    static func deviceID(_ reader: inout RecordReader) throws(RecordError) -> DeviceID {
        try reader.coded("a device id") { DeviceID($0) }
    }

    static func digest(_ reader: inout RecordReader) throws(RecordError) -> Digest {
        try reader.coded("a SHA-256 digest") { Digest($0) }
    }

    static func instant(_ reader: inout RecordReader) throws(RecordError) -> Timestamp {
        try reader.instant()
    }

    mutating func instant() throws(RecordError) -> Timestamp {
        guard let instant = Timestamp(rfc3339: try stringOctets()) else {
            throw error("an RFC 3339 time is needed here")
        }
        return instant
    }

    // MARK: The request

    private enum RequestMember: String, CaseIterable {
        case digest
        case extendedKeyUsages = "extended_key_usages"
        case names
        case namesAreComplete = "names_complete"
        case publicKey = "public_key"
        case requestedNotAfter = "requested_not_after"
        static let all = MemberNames<RequestMember>()
    }

    private mutating func requestFacts() throws(RecordError) -> RequestFacts {
        var names: CertificateNames?
        var complete: Bool?
        var usages: [String]?
        var publicKey: PublicKey?
        var digest: Digest?
        var notAfter: Timestamp?
        try object(RequestMember.all) { reader, member throws(RecordError) in
            switch member {
            case .names: names = try reader.certificateNames()
            case .namesAreComplete: complete = try reader.bool()
            case .extendedKeyUsages: usages = try reader.array(Self.text)
            case .publicKey: publicKey = try reader.optional(Self.publicKey)
            case .digest: digest = try reader.optional(Self.digest)
            case .requestedNotAfter: notAfter = try reader.optional(Self.instant)
            }
        }
        return RequestFacts(
            names: try required(names, "names"), namesAreComplete: try required(complete, "names_complete"),
            extendedKeyUsages: try required(usages, "extended_key_usages"), publicKey: publicKey,
            digest: digest, requestedNotAfter: notAfter)
    }

    private enum NamesMember: String, CaseIterable {
        case commonName, dns, email, ip, otherSubjectAttributes, unsupported, upn, uri
        static let all = MemberNames<NamesMember>()
    }

    mutating func certificateNames() throws(RecordError) -> CertificateNames {
        var names = CertificateNames()
        var missing = NamesMember.allCases.count - 1
        try object(NamesMember.all) { reader, member throws(RecordError) in
            if member != .commonName { missing -= 1 }
            switch member {
            case .commonName: names.commonName = try reader.optional(Self.text)
            case .dns: names.dns = try reader.array(Self.text)
            case .email: names.email = try reader.array(Self.text)
            case .ip: names.ip = try reader.array(Self.text)
            case .otherSubjectAttributes: names.otherSubjectAttributes = try reader.array(Self.text)
            case .unsupported: names.unsupported = try reader.array(Self.text)
            case .upn: names.upn = try reader.array(Self.text)
            case .uri: names.uri = try reader.array(Self.text)
            }
        }
        guard missing == 0 else { throw error("a list of names is missing") }
        return names
    }

    private enum KeyMember: String, CaseIterable {
        case algorithm, subjectPublicKeyInfo
        static let all = MemberNames<KeyMember>()
    }

    private static func publicKey(_ reader: inout RecordReader) throws(RecordError) -> PublicKey {
        var algorithm: KeyAlgorithm?
        var info: [UInt8]?
        try reader.object(KeyMember.all) { reader, member throws(RecordError) in
            switch member {
            case .algorithm: algorithm = try reader.word(KeyAlgorithm.all, "a key algorithm")
            case .subjectPublicKeyInfo: info = try reader.octets()
            }
        }
        return PublicKey(
            subjectPublicKeyInfo: try reader.required(info, "subjectPublicKeyInfo"),
            algorithm: try reader.required(algorithm, "algorithm"))
    }
}

extension EnrollmentProtocol {
    fileprivate static let all = MemberNames<EnrollmentProtocol>()
}

extension EnrollmentOperation {
    fileprivate static let all = MemberNames<EnrollmentOperation>()
}

extension KeyAlgorithm {
    fileprivate static let all = MemberNames<KeyAlgorithm>()
}

/// The members of an input as they are found.
private struct InputParts {
    var service: String?
    var requestedProfile: String?
    var enrollmentProtocol: EnrollmentProtocol?
    var operation: EnrollmentOperation?
    var instant: Timestamp?
    var request: RequestFacts?
    var proofs: [VerifiedProof]?
    var claimedDevices: [String]?
    var provenDevice: DeviceID?
    var device: DeviceFacts?
    var history: HistoryFacts?
    var approvals: [Approval] = []
    var clientAddress: String?

    func input(_ reader: RecordReader) throws(RecordError) -> PolicyInput {
        PolicyInput(
            service: ServiceName(try reader.required(service, "service")),
            requestedProfile: requestedProfile.map { ProfileName($0) },
            enrollmentProtocol: try reader.required(enrollmentProtocol, "protocol"),
            operation: try reader.required(operation, "operation"),
            instant: try reader.required(instant, "instant"),
            request: try reader.required(request, "request"), proofs: try reader.required(proofs, "proofs"),
            claimedDevices: try reader.required(claimedDevices, "claimed_devices"),
            provenDevice: provenDevice, device: device, history: try reader.required(history, "history"),
            approvals: approvals, clientAddress: try reader.required(clientAddress, "client_address"))
    }
}
