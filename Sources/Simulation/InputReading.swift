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
        static let all = MemberNames<InputMember> { name in
            switch name {
            case .approvals, .device, .provenDevice, .requestedProfile: false
            case .claimedDevices, .clientAddress, .history, .instant, .operation, .enrollmentProtocol,
                .proofs,
                .request, .service:
                true
            }
        }
    }

    /// The value of a member that must be there.
    func required<Value>(_ value: Value?, _ name: StaticString) throws(RecordError) -> Value {
        guard let value else { throw error("the member \(name) is missing") }
        return value
    }

    mutating func policyInput() throws(RecordError) -> PolicyInput {
        var input = Self.blank
        try read(&input)
        return input
    }

    /// An input that says nothing.
    static let blank = PolicyInput(
        service: ServiceName(""), enrollmentProtocol: .scep, operation: .enroll,
        instant: Timestamp(microseconds: 0), request: RequestFacts(names: CertificateNames(), publicKey: nil),
        proofs: [], provenDevice: nil, device: nil, clientAddress: "")

    /// Fills in a blank input, where it lies: it is long to copy.
    mutating func read(_ input: inout PolicyInput) throws(RecordError) {
        try object(InputMember.all) { reader, member throws(RecordError) in
            switch member {
            case .service: input.service = ServiceName(try reader.string())
            case .requestedProfile:
                input.requestedProfile = try reader.optional(Self.text).map { ProfileName($0) }
            case .enrollmentProtocol:
                input.enrollmentProtocol = try reader.word(EnrollmentProtocol.all, "a protocol")
            case .operation: input.operation = try reader.word(EnrollmentOperation.all, "an operation")
            case .instant: input.instant = try reader.instant()
            case .request: try reader.read(&input.request)
            case .proofs: input.proofs = try reader.array(Self.proof)
            case .claimedDevices: input.claimedDevices = try reader.array(Self.text)
            case .provenDevice: input.provenDevice = try reader.optional(Self.deviceID)
            case .device: input.device = try reader.optional(Self.deviceFacts)
            case .history: input.history = try reader.historyFacts()
            case .approvals: input.approvals = try reader.optional(Self.approvals) ?? []
            case .clientAddress: input.clientAddress = try reader.string()
            }
        }
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
        static let all = MemberNames<RequestMember> {
            $0 == .names || $0 == .namesAreComplete || $0 == .extendedKeyUsages
        }
    }

    /// Fills in blank facts.
    private mutating func read(_ facts: inout RequestFacts) throws(RecordError) {
        try object(RequestMember.all) { reader, member throws(RecordError) in
            switch member {
            case .names: try reader.read(&facts.names)
            case .namesAreComplete: facts.namesAreComplete = try reader.bool()
            case .extendedKeyUsages: facts.extendedKeyUsages = try reader.array(Self.text)
            case .publicKey: facts.publicKey = try reader.optional(Self.publicKey)
            case .digest: facts.digest = try reader.optional(Self.digest)
            case .requestedNotAfter: facts.requestedNotAfter = try reader.optional(Self.instant)
            }
        }
    }

    private enum NamesMember: String, CaseIterable {
        case commonName, dns, email, ip, otherSubjectAttributes, unsupported, upn, uri
        static let all = MemberNames<NamesMember> { $0 != .commonName }
    }

    mutating func certificateNames() throws(RecordError) -> CertificateNames {
        var names = CertificateNames()
        try read(&names)
        return names
    }

    /// Fills in blank names.
    private mutating func read(_ names: inout CertificateNames) throws(RecordError) {
        try object(NamesMember.all) { reader, member throws(RecordError) in
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
