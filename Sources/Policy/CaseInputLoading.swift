import EnrollmentCore

/// Reads the request of a case.
struct CaseInputLoader {
    private static let keys = [
        "at", "inquiry", "service", "profile", "protocol", "operation", "device", "posture", "proof",
        "claims",
        "csr", "history", "client_address",
    ]
    private static let credential = CredentialID("AAAAAAAAAAAAAAAA")

    let rule: Rule
    let catalog: Catalog
    let faults: DiagnosticCollector

    func input(_ node: YAMLNode) -> (input: PolicyInput, question: PolicyQuestion)? {
        guard let reader = MappingReader(node, named: "the request", known: Self.keys, faults),
            let instant = readInstant(reader)
        else { return nil }
        let question = readQuestion(reader["inquiry"])
        let onlyService = rule.scope.services.flatMap { $0.count == 1 ? $0.first?.rawValue : nil }
        guard let service = reader["service"].map({ $0.text("service", faults) }) ?? onlyService else {
            faults.report(
                reader.position, "`service` is missing from the request", remedy: "the rule is for several")
            return nil
        }
        let request = readRequest(reader["csr"], instant, hasKey: question == .request)
        let proofs = readProofs(reader["proof"], request.names, instant)
        let device = reader["device"].flatMap { readDevice($0, reader["posture"], instant) }
        let named = Set(proofs.compactMap(\.device))
        let input = PolicyInput(
            service: ServiceName(service),
            requestedProfile: reader["profile"].flatMap { $0.text("profile", faults) }.map {
                ProfileName($0)
            },
            enrollmentProtocol: choice(reader, "protocol", otherwise: defaultProtocol(service)),
            operation: choice(reader, "operation", otherwise: .enroll), instant: instant, request: request,
            proofs: proofs, claimedDevices: reader["claims"].flatMap { $0.names("claims", faults) } ?? [],
            provenDevice: named.count == 1 ? named.first : nil, device: device,
            history: readHistory(reader["history"]),
            clientAddress: reader["client_address"].flatMap { $0.text("client_address", faults) }
                ?? "192.0.2.1")
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

    private func readInstant(_ reader: MappingReader) -> Timestamp? {
        guard let node = reader["at"] else { return Timestamp(rfc3339: "2026-11-22T12:00:00Z") }
        guard let text = node.text("at", faults) else { return nil }
        if let instant = Timestamp(rfc3339: text) { return instant }
        faults.report(node.position, "`at` must be a time", remedy: "write 2026-11-22T12:00:00Z")
        return nil
    }

    private func defaultProtocol(_ service: String) -> EnrollmentProtocol {
        let protocols = catalog.services[ServiceName(service)]?.protocols ?? []
        return EnrollmentProtocol.allCases.first { protocols.contains($0) } ?? .est
    }

    private func choice<Choice: CaseIterable & RawRepresentable<String>>(
        _ reader: MappingReader, _ key: String, otherwise: Choice
    ) -> Choice {
        reader[key] == nil ? otherwise : reader.choice(key, of: Choice.self) ?? otherwise
    }

    private func readDevice(_ node: YAMLNode, _ posture: YAMLNode?, _ instant: Timestamp) -> DeviceFacts? {
        let known = ["id", "serial", "udid", "group", "dns", "email", "upn", "owner"]
        guard let reader = MappingReader(node, named: "device", known: known, faults),
            let id = device(reader, "id")
        else { return nil }
        func texts(_ key: String) -> [String] { reader[key].flatMap { optionalNames($0, key) } ?? [] }
        func text(_ key: String) -> String? { reader[key].flatMap { $0.text(key, faults) } }
        return DeviceFacts(
            id: id, serial: text("serial"), udid: text("udid"), groups: texts("group"), dns: texts("dns"),
            email: texts("email"), upn: texts("upn"), owner: text("owner"),
            posture: (posture.flatMap { postureItems($0) } ?? []).compactMap { readPosture($0, instant) })
    }

    /// A list that may be empty here: the directory may know of none.
    private func optionalNames(_ node: YAMLNode, _ key: String) -> [String]? {
        if case .sequence(let items) = node.content, items.isEmpty { return [] }
        return node.names(key, faults)
    }

    private func postureItems(_ node: YAMLNode) -> [YAMLNode] {
        if case .sequence(let items) = node.content { return items }
        return [node]
    }

    private func readPosture(_ node: YAMLNode, _ instant: Timestamp) -> PostureFact? {
        let known = ["source", "status", "jailbroken", "age", "from_now"]
        guard let reader = MappingReader(node, named: "posture", known: known, faults),
            let source = reader.text("source")
        else { return nil }
        let status = choice(reader, "status", otherwise: PostureStatus.unknown)
        let age = reader["age"].flatMap { $0.duration("age", faults) }
        let ahead = reader["from_now"].flatMap { $0.duration("from_now", faults) }
        let offset = age.map { -$0 } ?? ahead
        return PostureFact(
            source: source, status: status,
            jailbroken: reader["jailbroken"].flatMap { $0.boolean("jailbroken", faults) },
            observedAt: offset.map { instant.adding(seconds: $0) })
    }

    private func device(_ reader: MappingReader, _ key: String) -> DeviceID? {
        guard let text = reader.text(key) else { return nil }
        if let id = DeviceID(text) { return id }
        faults.report(reader[key]?.position ?? reader.position, "`\(text)` is not a device id")
        return nil
    }

    private func readProofs(_ node: YAMLNode?, _ wished: CertificateNames, _ instant: Timestamp)
        -> [VerifiedProof]
    {
        let known = ["one_time_credential", "account", "certificate_of_ours", "domain_control"]
        guard let node, let reader = MappingReader(node, named: "proof", known: known, faults),
            let credential = Self.credential
        else { return [] }
        func bound(_ key: String, _ keys: [String]) -> (MappingReader, DeviceID)? {
            guard let member = reader[key],
                let inner = MappingReader(member, named: key, known: keys, faults),
                let device = device(inner, "bound_to")
            else { return nil }
            return (inner, device)
        }
        var proofs: [VerifiedProof] = []
        if let (inner, device) = bound("one_time_credential", ["bound_to", "state"]) {
            let state = choice(inner, "state", otherwise: CredentialState.usable)
            proofs.append(.oneTimeCredential(id: credential, device: device, state: state))
        }
        if let (inner, device) = bound("account", ["bound_to", "state"]) {
            let state = choice(inner, "state", otherwise: CredentialState.usable)
            proofs.append(.account(id: "account", credential: credential, device: device, state: state))
        }
        if let (inner, device) = bound("certificate_of_ours", ["bound_to", "state", "names"]) {
            let state = choice(inner, "state", otherwise: CertificateState.valid)
            let names = inner["names"].map { readRequest($0, instant, hasKey: false).names } ?? wished
            proofs.append(
                .clientCertificate(certificate: Digest(of: []), device: device, state: state, names: names))
        }
        if let member = reader["domain_control"] { proofs += readDomainControl(member, instant) }
        return proofs
    }

    private func readDomainControl(_ node: YAMLNode, _ instant: Timestamp) -> [VerifiedProof] {
        guard let reader = MappingReader(node, named: "domain_control", known: ["names", "age"], faults)
        else { return [] }
        let age = reader["age"].flatMap { $0.duration("age", faults) } ?? 60
        let shown = (reader.names("names") ?? []).map {
            DomainAuthorization(name: $0, method: "http-01", validatedAt: instant.adding(seconds: -age))
        }
        return [.domainControl(shown)]
    }

    private func readRequest(_ node: YAMLNode?, _ instant: Timestamp, hasKey: Bool) -> RequestFacts {
        let known = [
            "common_name", "subject", "dns", "email", "uri", "ip", "upn", "unsupported", "extended_key_usage",
            "validity", "key", "names_complete",
        ]
        let reader = node.flatMap { MappingReader($0, named: "csr", known: known, faults) }
        func texts(_ key: String) -> [String] { reader?[key].flatMap { optionalNames($0, key) } ?? [] }
        let names = CertificateNames(
            commonName: reader?["common_name"].flatMap { $0.text("common_name", faults) },
            otherSubjectAttributes: texts("subject"), dns: texts("dns"), email: texts("email"),
            uri: texts("uri"),
            ip: texts("ip"), upn: texts("upn"), unsupported: texts("unsupported"))
        let usages = texts("extended_key_usage").map {
            ExtendedKeyUsage(rawValue: $0)?.objectIdentifier ?? $0
        }
        let algorithm = reader.map { choice($0, "key", otherwise: KeyAlgorithm.p256) } ?? .p256
        let key = hasKey ? PublicKey(subjectPublicKeyInfo: Array("key".utf8), algorithm: algorithm) : nil
        let validity = reader?["validity"].flatMap { $0.duration("validity", faults) }
        return RequestFacts(
            names: names,
            namesAreComplete: reader?["names_complete"].flatMap { $0.boolean("names_complete", faults) }
                ?? false,
            extendedKeyUsages: usages, publicKey: key, digest: key.map { _ in Digest(of: []) },
            requestedNotAfter: validity.map { instant.adding(seconds: $0) })
    }

    private func readHistory(_ node: YAMLNode?) -> HistoryFacts {
        let known = ["active_certificates", "key_seen_on_other_device", "key_blocked"]
        guard let node, let reader = MappingReader(node, named: "history", known: known, faults) else {
            return HistoryFacts()
        }
        let count = reader["active_certificates"].flatMap {
            $0.integer("active_certificates", in: 0...1_000_000, faults)
        }
        func flag(_ key: String) -> Bool { reader[key].map { $0.boolean(key, faults) ?? false } ?? false }
        return HistoryFacts(
            activeCertificates: Int(count ?? 0), keySeenOnOtherDevice: flag("key_seen_on_other_device"),
            keyBlocked: flag("key_blocked"))
    }
}
