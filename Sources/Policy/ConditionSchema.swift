import EnrollmentCore

/// The JSON Schema of conditions: one definition for each place and depth, as the loader tells them apart.
enum ConditionSchema {
    /// What may stand in a mapping of conditions.
    private enum Content: String, CaseIterable {
        /// Anything.
        case any = "conditions"
        /// Below `none_of`: nothing that may be missing.
        case negated = "none_of"
        /// In `block_if`: facts that every request has.
        case known = "known"
        /// In `proof`.
        case proof = "proof"
    }

    /// By name: the three places, what stands in them, and the matchers of each attribute.
    static func definitions() -> [String: JSONValue] {
        var definitions: [String: JSONValue] = [:]
        for place in [ConditionPlace.required, .safe, .alwaysKnown] {
            let content: Content = place == .alwaysKnown ? .known : .any
            definitions[place.rawValue] = reference(content, depth: 0)
        }
        for content in Content.allCases {
            for depth in 0...ConditionShapes.maximumDepth {
                definitions[name(content, depth)] = conditions(content, depth: depth)
            }
        }
        for attribute in Attribute.allCases { definitions[attribute.rawValue] = matchers(attribute) }
        for attribute in Attribute.allCases where attribute.isAlwaysKnown {
            definitions[knownName(attribute)] = matchers(attribute, isKnown: true)
        }
        for (key, shape) in ConditionShapes.facts { definitions[key] = JSONSchema.schema(of: shape) }
        return definitions
    }

    private static func name(_ content: Content, _ depth: Int) -> String { "\(content.rawValue)-\(depth)" }
    private static func knownName(_ attribute: Attribute) -> String { "known-" + attribute.rawValue }

    private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/$defs/" + name)] }

    private static func reference(_ content: Content, depth: Int) -> JSONValue {
        reference(name(content, depth))
    }

    private static func conditions(_ content: Content, depth: Int) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        switch content {
        case .any, .negated:
            for attribute in Attribute.allCases {
                properties[attribute.rawValue] = reference(attribute.rawValue)
            }
        case .known:
            for attribute in Attribute.allCases where attribute.isAlwaysKnown {
                properties[attribute.rawValue] = reference(knownName(attribute))
            }
        case .proof:
            for kind in ProofKind.allCases {
                properties[kind.rawValue] = JSONSchema.schema(of: ConditionShapes.proof(kind))
            }
        }
        if content == .any {
            for (key, _) in ConditionShapes.facts { properties[key] = reference(key) }
            properties["proof"] = reference(.proof, depth: depth)
        }
        if depth < ConditionShapes.maximumDepth {
            for combinator in ConditionShapes.combinators {
                guard let inner = inner(content, combinator) else { continue }
                properties[combinator] = [
                    "type": "array", "minItems": 1, "items": reference(inner, depth: depth + 1),
                ]
            }
        }
        return [
            "type": "object", "additionalProperties": false, "minProperties": 1,
            "properties": .object(properties),
        ]
    }

    /// What may stand below a combinator; nil where it may not stand itself.
    private static func inner(_ content: Content, _ combinator: String) -> Content? {
        switch content {
        case .any: return combinator == "none_of" ? .negated : .any
        case .negated, .known: return content
        case .proof: return combinator == "none_of" ? nil : .proof
        }
    }

    private static func matchers(_ attribute: Attribute, isKnown: Bool = false) -> JSONValue {
        let value = value(of: attribute)
        let isRange: Bool
        switch attribute.kind {
        case .number, .duration, .instant: isRange = true
        case .text, .dnsNames, .mailNames, .words, .address: isRange = false
        }
        let values = isRange ? value : JSONSchema.oneOrMany(value)
        var properties: [String: JSONValue] = [:]
        for matcher in attribute.kind.matchers {
            switch matcher {
            case "is", "within": properties[matcher] = values
            case "between":
                properties[matcher] = ["type": "array", "minItems": 2, "maxItems": 2, "items": value]
            case "glob":
                properties[matcher] = ["type": "string", "pattern": "^([^*]+\\*[^*]*|\\*[^*]+)$"]
            case "equals", "subset_of":
                let others = attribute.comparable.filter { !isKnown || $0.isAlwaysKnown }.map(\.rawValue)
                if !others.isEmpty {
                    properties[matcher] = JSONSchema.schema(of: .words(others))
                }
            default: properties[matcher] = value
            }
        }
        let matcher: JSONValue = [
            "type": "object", "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
            "properties": .object(properties),
        ]
        return [
            "anyOf": [values, matcher],
            "description": .string("\(attribute.kind.phrase); \(attribute.trust.rawValue)."),
        ]
    }

    private static func value(of attribute: Attribute) -> JSONValue {
        if let words = AttributeValue.words(of: attribute) {
            return JSONSchema.schema(of: .words(words.known))
        }
        switch attribute.kind {
        case .words: return JSONSchema.schema(of: .name)
        case .text, .dnsNames, .mailNames: return JSONSchema.schema(of: .text)
        case .number: return JSONSchema.schema(of: .integer(AttributeLoader.numbers))
        case .duration: return JSONSchema.schema(of: .duration)
        case .instant: return JSONSchema.schema(of: .instant)
        case .address: return ["type": "string", "pattern": .string(JSONSchema.networkPattern)]
        }
    }
}

extension Attribute.Kind {
    /// For descriptions.
    fileprivate var phrase: String {
        switch self {
        case .text: return "A text, compared exactly"
        case .dnsNames: return "DNS names, compared without regard to case"
        case .mailNames: return "Names with a domain, which is compared without regard to case"
        case .words: return "Known words"
        case .number: return "A whole number"
        case .duration: return "A duration, e.g. 90d"
        case .instant: return "A point in time"
        case .address: return "An IP address, matched by networks"
        }
    }
}
