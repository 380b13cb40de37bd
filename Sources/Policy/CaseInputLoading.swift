import EnrollmentCore

/// Reads a request written down: a case's, or one to be asked about by hand.
struct CaseInputLoader {
    private static let credential = CredentialID("AAAAAAAAAAAAAAAA")
    /// Cases are judged at one instant, so that they say the same on every day.
    static let instantOfCases = Timestamp(rfc3339: "2026-11-22T12:00:00Z")

    /// The service of requests that name none.
    let onlyService: String?
    let catalog: Catalog
    let faults: DiagnosticCollector
    /// The instant of requests that name none.
    var defaultInstant = Self.instantOfCases

    func input(_ node: YAMLNode) -> (input: PolicyInput, question: PolicyQuestion)? {
        guard let reader = MappingReader(node, named: "the request", as: CaseShapes.request, faults) else {
            return nil
        }
        let instant = reader["at"].map { $0.instant("at", faults) } ?? defaultInstant
        guard let service = reader["service"] == nil ? onlyService : reader.text("service") else {
            faults.report(
                reader.position, "`service` is missing from the request",
                remedy: "name a service of the catalog")
            return nil
        }
        guard let instant else { return nil }
        let question = readQuestion(reader["inquiry"])
        let request = readRequest(reader.mapping("csr"), instant, hasKey: question == .request)
        let proofs = readProofs(reader.mapping("proof"), request.names, instant)
        let named = Set(proofs.compactMap(\.device))
        let input = PolicyInput(
            service: ServiceName(service),
            requestedProfile: reader.text("profile").map { ProfileName($0) },
            enrollmentProtocol: reader.choice("protocol", of: EnrollmentProtocol.self)
                ?? defaultProtocol(service),
            operation: reader.choice("operation", of: EnrollmentOperation.self) ?? .enroll, instant: instant,
            request: request, proofs: proofs, claimedDevices: reader.names("claims") ?? [],
            provenDevice: named.count == 1 ? named.first : nil,
            device: reader.mapping("device").flatMap { readDevice($0, reader["posture"], instant) },
            history: readHistory(reader.mapping("history")),
            approvals: readApprovals(reader["approvals"], instant),
            clientAddress: reader.text("client_address") ?? "192.0.2.1")
        return (input, question)
    }

    private func readQuestion(_ node: YAMLNode?) -> PolicyQuestion {
        switch node?.content {
        case nil, .scalar("false", isPlain: true): return .request
        case .scalar("true", isPlain: true): return .inquiry
        case .scalar("account", _): return .account
        case .scalar, .sequence, .mapping:
            if let node { faults.report(node.position, "`inquiry` must be `true`, `false` or `account`") }
            return .request
        }
    }

    private func defaultProtocol(_ service: String) -> EnrollmentProtocol {
        let protocols = catalog.services[ServiceName(service)]?.protocols ?? []
        return EnrollmentProtocol.allCases.first { protocols.contains($0) } ?? .est
    }

    private func readDevice(
        _ reader: MappingReader, _ posture: YAMLNode?, _ instant: Timestamp
    ) -> DeviceFacts? {
        guard let id = device(reader, "id") else { return nil }
        return DeviceFacts(
            id: id, serial: reader.text("serial"), udid: reader.text("udid"),
            groups: openNames(reader, "group"), dns: openNames(reader, "dns"),
            email: openNames(reader, "email"), upn: openNames(reader, "upn"), sid: reader.text("sid"),
            owner: reader.text("owner"), posture: listOrOne(posture).compactMap { readPosture($0, instant) })
    }

    /// A list that may be empty: the directory may know of none.
    private func openNames(_ reader: MappingReader?, _ key: String) -> [String] {
        if case .sequence(let items) = reader?[key]?.content, items.isEmpty { return [] }
        return reader?.names(key) ?? []
    }

    private func listOrOne(_ node: YAMLNode?) -> [YAMLNode] {
        if case .sequence(let items) = node?.content { return items }
        return node.map { [$0] } ?? []
    }

    private func readPosture(_ node: YAMLNode, _ instant: Timestamp) -> PostureFact? {
        guard let reader = MappingReader(node, named: "posture", as: CaseShapes.posture, faults),
            let source = reader.text("source")
        else { return nil }
        return PostureFact(
            source: source, status: reader.choice("status", of: PostureStatus.self) ?? .unknown,
            jailbroken: reader.boolean("jailbroken"), observedAt: moment(reader, instant))
    }

    /// The instant that `age` or `from_now` tells; nil without either.
    private func moment(_ reader: MappingReader, _ instant: Timestamp) -> Timestamp? {
        (reader.duration("age").map { -$0 } ?? reader.duration("from_now"))
            .map { instant.adding(seconds: $0) }
    }

    private func device(_ reader: MappingReader, _ key: String) -> DeviceID? {
        guard let text = reader.text(key) else { return nil }
        if let id = DeviceID(text) { return id }
        faults.report(reader[key]?.position ?? reader.position, "`\(text)` is not a device id")
        return nil
    }

    private func readProofs(
        _ reader: MappingReader?, _ wished: CertificateNames, _ instant: Timestamp
    ) -> [VerifiedProof] {
        guard let reader, let credential = Self.credential else { return [] }
        var proofs: [VerifiedProof] = []
        for key in ["one_time_credential", "account"] {
            guard let member = reader.mapping(key), let device = device(member, "bound_to") else { continue }
            let state = member.choice("state", of: CredentialState.self) ?? .usable
            proofs.append(
                key == "account"
                    ? .account(id: "account", credential: credential, device: device, state: state)
                    : .oneTimeCredential(id: credential, device: device, state: state))
        }
        if let member = reader.mapping("certificate_of_ours"), let device = device(member, "bound_to") {
            let names = member.mapping("names").map { readRequest($0, instant, hasKey: false).names }
            proofs.append(
                .clientCertificate(
                    certificate: Digest(of: []), device: device,
                    state: member.choice("state", of: CertificateState.self) ?? .valid,
                    names: names ?? wished))
        }
        if let member = reader.mapping("domain_control") {
            let age = member.duration("age") ?? 60
            let shown = (member.names("names") ?? []).map {
                DomainAuthorization(name: $0, method: "http-01", validatedAt: instant.adding(seconds: -age))
            }
            proofs.append(.domainControl(shown))
        }
        return proofs
    }

    private func readRequest(
        _ reader: MappingReader?, _ instant: Timestamp, hasKey: Bool
    ) -> RequestFacts {
        func texts(_ key: String) -> [String] { openNames(reader, key) }
        let names = CertificateNames(
            commonName: reader?.text("common_name"), otherSubjectAttributes: texts("subject"),
            dns: texts("dns"), email: texts("email"), uri: texts("uri"), ip: texts("ip"), upn: texts("upn"),
            unsupported: texts("unsupported"))
        let usages = texts("extended_key_usage").map {
            ExtendedKeyUsage(rawValue: $0)?.objectIdentifier ?? $0
        }
        let algorithm = reader?.choice("key", of: KeyAlgorithm.self) ?? .p256
        let key = hasKey ? PublicKey(subjectPublicKeyInfo: Array("key".utf8), algorithm: algorithm) : nil
        return RequestFacts(
            names: names, namesAreComplete: reader?.boolean("names_complete") ?? false,
            extendedKeyUsages: usages, publicKey: key, digest: key.map { _ in Digest(of: []) },
            requestedNotAfter: reader?.duration("validity").map { instant.adding(seconds: $0) })
    }

    private func readHistory(_ reader: MappingReader?) -> HistoryFacts {
        HistoryFacts(
            activeCertificates: Int(reader?.integer("active_certificates") ?? 0),
            keySeenOnOtherDevice: reader?.boolean("key_seen_on_other_device") ?? false,
            keyBlocked: reader?.boolean("key_blocked") ?? false,
            failedAttempts: Int(reader?.integer("failed_attempts") ?? 0),
            lastProofs: reader?.names("last_proofs") ?? [], mintedBy: reader?.text("minted_by"))
    }

    private func readApprovals(_ node: YAMLNode?, _ instant: Timestamp) -> [Approval] {
        guard let node else { return [] }
        guard case .sequence(let items) = node.content, items.count <= YAMLNode.longestList else {
            faults.report(
                node.position, "`approvals` must be a list", remedy: "- { by: \"os:jane\", verdict: approve }"
            )
            return []
        }
        return items.compactMap { item -> Approval? in
            guard let reader = MappingReader(item, named: "approval", as: CaseShapes.approval, faults),
                let approver = reader.text("by"),
                let verdict = reader.choice("verdict", of: Approval.Verdict.self)
            else { return nil }
            return Approval(approver: approver, verdict: verdict, at: moment(reader, instant) ?? instant)
        }
        .sorted { $0.approver < $1.approver }
    }
}
