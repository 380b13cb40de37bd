import EnrollmentCore

/// Reads the matcher of one attribute.
struct AttributeLoader {
    static let matchers = [
        "is", "glob", "within", "at_most", "at_least", "between", "equals", "subset_of",
    ]

    /// What a number may be compared with.
    static let numbers: ClosedRange<Int64> = 0...1_000_000

    let catalog: Catalog
    let faults: DiagnosticCollector

    /// The matcher and how it reads; nil after reporting why it is none.
    func matcher(_ attribute: Attribute, _ node: YAMLNode) -> (AttributeMatcher, String)? {
        guard let entries = node.entries else { return values(attribute, node) }
        guard entries.count == 1, let entry = entries.first else {
            faults.report(node.position, "`\(attribute.rawValue)` takes exactly one matcher")
            return nil
        }
        guard Self.matchers.contains(entry.key) else {
            faults.report(
                entry.position, "unknown matcher `\(entry.key)`",
                remedy: spellingRemedy(entry.key, among: Self.matchers))
            return nil
        }
        let taken = attribute.kind.matchers
        guard taken.contains(entry.key) else {
            faults.report(
                entry.position, "`\(attribute.rawValue)` cannot be matched with `\(entry.key)`",
                remedy: "it takes " + taken.joined(separator: ", "))
            return nil
        }
        switch entry.key {
        case "is": return values(attribute, entry.value)
        case "glob": return glob(attribute, entry.value)
        case "within": return ranges(attribute, entry.value)
        case "equals": return comparison(attribute, entry) { .equals($0) }
        case "subset_of": return comparison(attribute, entry) { .subsetOf($0) }
        default: return bounds(attribute, entry)
        }
    }

    private func values(_ attribute: Attribute, _ node: YAMLNode) -> (AttributeMatcher, String)? {
        switch attribute.kind {
        case .address: return ranges(attribute, node)
        case .number, .duration, .instant:
            return bound(attribute, node, attribute.rawValue).map {
                (.between($0.value...$0.value), "\(attribute.rawValue) is \($0.text)")
            }
        case .text, .dnsNames, .mailNames, .words:
            guard let names = node.placedNames(attribute.rawValue, faults) else { return nil }
            guard names.filter({ isAccepted($0, attribute) }).count == names.count else { return nil }
            let wanted = names.map { attribute.normalised($0.text) }
            return (.oneOf(wanted), "\(attribute.rawValue) is \(wanted.joined(separator: " or "))")
        }
    }

    /// Whether a value may be an attribute's, after reporting it otherwise.
    private func isAccepted(_ value: PlacedText, _ attribute: Attribute) -> Bool {
        if attribute == .deviceGroup {
            return catalog.expect(value.text, .group, at: value.position, faults)
        }
        guard let fault = AttributeValue.fault(in: value.text, of: attribute) else { return true }
        faults.report(value.position, fault.message, remedy: fault.remedy)
        return false
    }

    private func glob(_ attribute: Attribute, _ node: YAMLNode) -> (AttributeMatcher, String)? {
        guard let text = node.text("glob", faults) else { return nil }
        guard let glob = Glob(attribute.normalised(text)) else {
            faults.report(
                node.position, "`\(text)` is not a glob", remedy: "exactly one * beside other characters")
            return nil
        }
        if let fault = AttributeValue.fault(inGlob: text, of: attribute) {
            faults.report(node.position, fault.message, remedy: fault.remedy)
            return nil
        }
        return (.glob(glob), "\(attribute.rawValue) matches \(glob.text)")
    }

    private func ranges(_ attribute: Attribute, _ node: YAMLNode) -> (AttributeMatcher, String)? {
        guard let items = node.items(attribute.rawValue, faults) else { return nil }
        var ranges: [AddressRange] = []
        for item in items {
            guard let text = item.text(attribute.rawValue, faults) else { return nil }
            do throws(AddressRange.Fault) {
                ranges.append(try AddressRange(text))
            } catch {
                switch error {
                case .malformed:
                    faults.report(item.position, "`\(text)` is not a network", remedy: "write 192.0.2.0/24")
                case .hostBits:
                    faults.report(
                        item.position, "`\(text)` has bits set after its prefix",
                        remedy: "give the network's own address")
                }
                return nil
            }
        }
        return (
            .within(ranges), "\(attribute.rawValue) is within \(ranges.map(\.text).joined(separator: " or "))"
        )
    }

    private func bounds(_ attribute: Attribute, _ entry: YAMLNode.Entry) -> (AttributeMatcher, String)? {
        let name = attribute.rawValue
        guard entry.key == "between" else {
            guard let bound = bound(attribute, entry.value, entry.key) else { return nil }
            return entry.key == "at_most"
                ? (.between(Int64.min...bound.value), "\(name) is at most \(bound.text)")
                : (.between(bound.value...Int64.max), "\(name) is at least \(bound.text)")
        }
        guard case .sequence(let items) = entry.value.content, items.count == 2 else {
            faults.report(entry.value.position, "`between` takes two values, the smaller first")
            return nil
        }
        guard let low = bound(attribute, items[0], "between"),
            let high = bound(attribute, items[1], "between")
        else { return nil }
        guard low.value <= high.value else {
            faults.report(entry.value.position, "`between` takes two values, the smaller first")
            return nil
        }
        return (.between(low.value...high.value), "\(name) is between \(low.text) and \(high.text)")
    }

    /// A value to compare with, in the matcher's unit, and as it was written.
    private func bound(
        _ attribute: Attribute, _ node: YAMLNode, _ name: String
    ) -> (value: Int64, text: String)? {
        guard case .scalar(let text, _) = node.content else {
            faults.report(node.position, "`\(name)` must be a single value, not \(node.kind)")
            return nil
        }
        switch attribute.kind {
        case .number: return node.integer(name, in: Self.numbers, faults).map { ($0, text) }
        case .duration:
            return node.duration(name, atMost: ValueShape.longestDuration, faults).map { ($0, text) }
        case .instant: return node.instant(name, faults).map { ($0.microseconds, text) }
        case .text, .dnsNames, .mailNames, .words, .address: return nil
        }
    }

    private func comparison(
        _ attribute: Attribute, _ entry: YAMLNode.Entry, _ make: (Attribute) -> AttributeMatcher
    ) -> (AttributeMatcher, String)? {
        guard let name = entry.value.text(entry.key, faults) else { return nil }
        let candidates = attribute.comparable
        guard let other = candidates.first(where: { $0.rawValue == name }) else {
            faults.report(
                entry.value.position, "`\(entry.key)` cannot be `\(name)`",
                remedy: spellingRemedy(name, among: candidates.map(\.rawValue)))
            return nil
        }
        let verb = entry.key == "equals" ? "equals" : "lies within"
        return (make(other), "\(attribute.rawValue) \(verb) \(name)")
    }
}

extension Attribute {
    /// The attributes that it may be compared with.
    var comparable: [Attribute] { Attribute.allCases.filter { $0.kind == kind && $0 != self } }
}

extension Attribute.Kind {
    /// The matchers that values of the kind take.
    var matchers: [String] {
        switch self {
        case .text: return ["is", "glob", "equals"]
        case .dnsNames, .mailNames: return ["is", "glob", "subset_of"]
        case .words: return ["is"]
        case .number, .duration, .instant: return ["is", "at_most", "at_least", "between"]
        case .address: return ["is", "within"]
        }
    }
}

extension VerifiedProof {
    /// The names of all kinds of proof, as rules and the ledger write them.
    package static let kindNames = [
        "account", "client_certificate", "domain_control", "one_time_credential",
    ]
}
