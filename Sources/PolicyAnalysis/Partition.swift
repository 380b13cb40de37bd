import EnrollmentCore
import Policy

/// One bundle's part in the analysis of one profile of one service.
struct PolicySide {
    let engine: PolicyEngine
    /// Nil where the bundle does not have it.
    let service: Service?
    let profile: CertificateProfile?
    /// Enforced rules that cover the service and the profile, sorted by id.
    let rules: [Rule]

    init(_ bundle: PolicyBundle, _ service: ServiceName, _ profile: ProfileName) {
        engine = PolicyEngine(bundle: bundle)
        let declared = bundle.service(named: service).flatMap { $0.profiles.contains(profile) ? $0 : nil }
        self.service = declared
        self.profile = declared.flatMap { _ in bundle.profile(named: profile) }
        rules =
            declared == nil
            ? [] : bundle.rules.filter { $0.mode == .enforce && $0.scope.covers(service, profile) }
    }
}

/// All requests for one profile of one service that come with a usable proof of a known device, split into
/// finitely many kinds that the rules of all sides together cannot tell apart further.
struct Partition {
    /// An element that may be among the values of several attributes of names.
    struct Element {
        let dimension: Int
        /// What its tests are matched with.
        let text: String
        /// By cell, the attributes that have it.
        let holders: [Set<Attribute>]
    }

    let service: ServiceName
    let profile: ProfileName
    let sides: [PolicySide]
    let use: FactUse
    private(set) var dimensions: [Dimension] = []
    private(set) var base: RequestSketch
    /// Credential, certificate and operation.
    private(set) var requester = 0
    private(set) var transport = 0
    private(set) var key: Int?
    private(set) var domainControl: Int?
    private(set) var approvals: Int?
    /// Whether more is asked for than any rule grants.
    private(set) var excess: Int?
    private(set) var posture: [Int] = []
    /// The dimension of an attribute that has one of its own, or shares it with those it is compared with.
    private(set) var scalars: [Attribute: Int] = [:]
    private(set) var elements: [Attribute: [Element]] = [:]
    /// Dimensions of attributes that common names are granted from and compared with.
    private(set) var commonNames: Int?

    /// - Parameter sides: at least one, and one that has the service and the profile.
    init(_ service: ServiceName, _ profile: ProfileName, _ sides: [PolicySide]) throws(AnalysisLimit) {
        self.service = service
        self.profile = profile
        self.sides = sides
        use = try FactUse(rules: sides.flatMap(\.rules))
        let protocols = EnrollmentProtocol.allCases.filter { candidate in
            sides.contains { $0.service?.protocols.contains(candidate) ?? false }
        }
        let keys = KeyAlgorithm.allCases.filter { candidate in
            sides.contains { $0.profile?.keyAlgorithms.contains(candidate) ?? false }
        }
        base = RequestSketch(
            service: service, profile: profile, enrollmentProtocol: protocols.first ?? .est,
            keyAlgorithm: keys.first ?? .p256)
        requester = add(requesterDimension())
        transport = add(transportDimension(protocols))
        key = keyDimension(keys).map { add($0) }
        for group in use.groups(of: [.words, .dnsNames, .mailNames]) { try addNames(group) }
        for group in use.groups(of: [.text]) { try addTexts(group) }
        for attribute in Attribute.allCases {
            if let dimension = quantityDimension(attribute) { scalars[attribute] = add(dimension) }
        }
        if let dimension = try addressDimension() { scalars[.clientAddress] = add(dimension) }
        domainControl = domainControlDimension().map { add($0) }
        for dimension in postureDimensions() { posture.append(add(dimension)) }
        approvals = try approvalDimension().map { add($0) }
        excess = excessDimension().map { add($0) }
    }

    private mutating func add(_ dimension: Dimension) -> Int {
        dimensions.append(dimension)
        return dimensions.count - 1
    }

    /// One request of the kind that the cells name; dimensions left out count as in their first cell.
    func sketch(_ cells: [Int: Int]) -> RequestSketch {
        var sketch = base
        for (place, dimension) in dimensions.enumerated() {
            dimension.cells[cells[place] ?? 0].apply(&sketch)
        }
        return sketch
    }

    /// The verdict on a test of such a request.
    static func verdict(_ test: Test, _ sketch: RequestSketch) -> Verdict {
        ConditionEvaluation(input: sketch.input, question: .request).evaluate(test).verdict
    }

    private func applied(_ cell: Cell) -> RequestSketch {
        var sketch = base
        cell.apply(&sketch)
        return sketch
    }

    private func requesterDimension() -> Dimension {
        var cells: [Cell] = []
        for operation in EnrollmentOperation.allCases {
            for (credential, certificate) in [(true, false), (false, true), (true, true)] {
                // A renewal shows the certificate that it renews.
                guard operation == .enroll || certificate else { continue }
                let proofs = [credential ? "credential" : nil, certificate ? "certificate" : nil]
                let label = proofs.compactMap { $0 }.joined(separator: " and ")
                cells.append(
                    Cell(label: "\(operation.rawValue) with \(label)") {
                        $0.operation = operation
                        $0.hasCredential = credential
                        $0.hasCertificate = certificate
                    })
            }
        }
        let tests = use.tests.filter { test in
            switch test.subject {
            case .oneTimeCredential, .certificateOfOurs, .attribute(.requestOperation, _): return true
            case .attribute, .posture, .notJailbroken, .domainControl: return false
            }
        }
        let scopes = use.scopes.compactMap(\.operations)
        let countsCertificates = distinguishesCertificateCounts
        let needsFourEyes = use.approvals.contains(where: \.needsFourEyes)
        return Dimension(
            name: "requester",
            cells: cells.distinct { cell in
                let sketch = applied(cell)
                return tests.map { Self.verdict($0, sketch).rawValue }
                    + scopes.map { $0.contains(sketch.operation) ? 1 : 0 }
                    + [countsCertificates && sketch.operation == .enroll ? 1 : 0]
                    + [needsFourEyes && sketch.hasCredential ? 1 : 0]
            })
    }

    private func transportDimension(_ protocols: [EnrollmentProtocol]) -> Dimension {
        let cells = protocols.map { one in
            Cell(label: one.rawValue) { $0.enrollmentProtocol = one }
        }
        let tests = use.tests(of: [.requestProtocol])
        let scopes = use.scopes.compactMap(\.protocols)
        let offered = sides.map { $0.service?.protocols ?? [] }
        let distinct = cells.distinct { cell in
            let sketch = applied(cell)
            return tests.map { Self.verdict($0, sketch).rawValue }
                + (scopes + offered).map { $0.contains(sketch.enrollmentProtocol) ? 1 : 0 }
        }
        return Dimension(name: "request.protocol", cells: distinct.isEmpty ? [.untouched] : distinct)
    }

    private func keyDimension(_ keys: [KeyAlgorithm]) -> Dimension? {
        let tests = use.tests(of: [.requestKeyAlgorithm])
        let offered = sides.map { $0.profile?.keyAlgorithms ?? [] }
        let cells = keys.map { one in Cell(label: one.rawValue) { $0.keyAlgorithm = one } }.distinct { cell in
            let sketch = applied(cell)
            return tests.map { Self.verdict($0, sketch).rawValue }
                + offered.map { $0.contains(sketch.keyAlgorithm) ? 1 : 0 }
        }
        return cells.count > 1 ? Dimension(name: "request.key_algorithm", cells: cells) : nil
    }

    /// Whether the number of live certificates makes a difference, by a rule or between the sides' limits.
    var distinguishesCertificateCounts: Bool {
        use.tested.contains(.deviceActiveCertificates)
            || Set(sides.compactMap { $0.service?.limits.liveCertificatesPerDevice }).count > 1
    }

    /// Dimensions of attributes that hold several names, and are compared with each other.
    private mutating func addNames(_ group: [Attribute]) throws(AnalysisLimit) {
        guard group.count <= 3, let first = group.first else { throw .comparison(group[0].rawValue) }
        let holders = Self.subsets(of: group)
        for kind in try nameKinds(group, variants: holders.count - 1) {
            if kind.texts.count >= holders.count - 1 {
                for (text, holder) in zip(kind.texts, holders.dropFirst()) {
                    addElement(text, for: first, group, [[], holder])
                }
            } else if let text = kind.texts.first {
                addElement(text, for: first, group, holders)
            }
        }
    }

    private mutating func addElement(
        _ text: String, for first: Attribute, _ group: [Attribute], _ holders: [Set<Attribute>]
    ) {
        // What names are granted from is there unless something else is asked for.
        let ordered = group.contains { use.granted.contains($0) } ? Array(holders.reversed()) : holders
        let cells = ordered.map { holder in
            let names = group.filter(holder.contains)
            return Cell(
                label: names.isEmpty ? "absent" : "in " + names.map(\.rawValue).joined(separator: ", ")
            ) { sketch in
                for attribute in names { sketch.add(text, to: attribute) }
            }
        }
        let place = add(Dimension(name: "\(first.rawValue) \(text)", cells: cells))
        let element = Element(dimension: place, text: text, holders: ordered)
        for attribute in group { elements[attribute, default: []].append(element) }
    }

    private static func subsets(of group: [Attribute]) -> [Set<Attribute>] {
        group.reduce([[]]) { sets, attribute in sets + sets.map { $0.union([attribute]) } }
    }

    private func nameKinds(_ group: [Attribute], variants: Int) throws(AnalysisLimit) -> [TextWitnesses.Kind]
    {
        let patterns = use.patterns(of: Set(group))
        let tests = use.tests(of: Set(group))
        let kinds: [TextWitnesses.Kind]
        if group == [.deviceLastProof] {
            kinds = VerifiedProof.kindNames.map { TextWitnesses.Kind(texts: [$0]) }
        } else {
            kinds = try TextWitnesses(
                constants: patterns.constants, globs: patterns.globs, variants: variants
            ).kinds()
        }
        var seen: Set<[Int]> = []
        return kinds.filter { kind in
            guard let text = kind.texts.first else { return false }
            // A text that is the only one of its kind can be in one place only, so each counts by itself.
            if group.count > 1, kind.texts.count == 1 { return true }
            let signature = tests.map { test -> Int in
                guard case .attribute(let attribute, let matcher) = test.subject, matcher.other == nil else {
                    return 0
                }
                var sketch = base
                sketch.add(text, to: attribute)
                return Self.verdict(test, sketch).rawValue
            }
            return seen.insert(signature).inserted
        }
    }

    /// A dimension of attributes that hold one text each, and are compared with each other.
    private mutating func addTexts(_ group: [Attribute]) throws(AnalysisLimit) {
        let patterns = use.patterns(of: Set(group))
        let kinds = try TextWitnesses(
            constants: patterns.constants, globs: patterns.globs, variants: group.count
        ).kinds()
        let texts = representatives(of: kinds.flatMap(\.texts), group)
        var cells: [Cell] = [.untouched]
        for attribute in group {
            let values = values(of: attribute, among: texts)
            guard cells.count * values.count <= AnalysisLimit.maximumCells else {
                throw .cells(AnalysisLimit.maximumCells)
            }
            cells = cells.flatMap { cell in
                values.map { value in
                    Cell(label: "\(cell.label) \(attribute.rawValue) \(value ?? "absent")") { sketch in
                        cell.apply(&sketch)
                        sketch.set(attribute, to: value.map { [$0] } ?? [])
                    }
                }
            }
        }
        let name = group.map(\.rawValue).joined(separator: ", ")
        let place = add(Dimension(name: name, cells: cells.distinct { textSignature(group, $0) }))
        for attribute in group { scalars[attribute] = place }
        let compared = use.commonNames.flatMap { $0.variables.map(\.attribute) } + [.requestCommonName]
        if use.comparesCommonNames, group.contains(where: compared.contains) { commonNames = place }
    }

    /// Of texts that are matched alike, as many as there are attributes, so that all may differ.
    private func representatives(of texts: [String], _ group: [Attribute]) -> [String] {
        let tests = use.tests(of: Set(group)).filter { test in
            if case .attribute(_, let matcher) = test.subject { return matcher.other == nil }
            return false
        }
        var counts: [[Int]: Int] = [:]
        return texts.filter { text in
            var sketch = base
            let isDevice = DeviceID(text) != nil
            for attribute in group where isDevice || attribute != .deviceID {
                sketch.set(attribute, to: [text])
            }
            let signature = tests.map { Self.verdict($0, sketch).rawValue } + [isDevice ? 1 : 0]
            counts[signature, default: 0] += 1
            return counts[signature] ?? 0 <= group.count
        }
    }

    /// Every value once, an ordinary one first; nil where the attribute may be absent.
    private func values(of attribute: Attribute, among texts: [String]) -> [String?] {
        if attribute == .deviceID {
            return texts.filter { DeviceID($0) != nil }
        }
        return attribute == .requestCommonName ? [nil] + texts : texts + [nil]
    }

    private func textSignature(_ group: [Attribute], _ cell: Cell) -> [Int] {
        let sketch = applied(cell)
        let input = sketch.input
        let absent = group.map { $0.values(in: input).isEmpty ? 1 : 0 }
        return use.tests(of: Set(group)).map { Self.verdict($0, sketch).rawValue } + absent
            + commonNameSignature(sketch)
    }

    /// For each common name that a rule may grant, and the one asked for, the first that is the same.
    func commonNameSignature(_ sketch: RequestSketch) -> [Int] {
        guard use.comparesCommonNames else { return [] }
        let names = use.commonNames.map { template in
            template.text.replacing("{device.id}", with: sketch.deviceID)
                .replacing("{device.serial}", with: sketch.serial ?? "{}")
        }
        return (names + [sketch.commonName ?? "{}"]).map { names.firstIndex(of: $0) ?? -1 }
            + [sketch.commonName == nil ? 1 : 0]
    }
}

extension Cell {
    /// Leaves a request as it is.
    static let untouched = Cell(label: "") { _ in }
}
