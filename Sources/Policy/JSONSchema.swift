import EnrollmentCore

/// Writes shapes down as JSON Schema (draft 2020-12), for editors.
enum JSONSchema {
    static let namePattern = "^[a-z][a-z0-9-]{0,63}$"
    /// Of what is declared: rules write `any` for all of them.
    static let declaredPattern = "^(?!any$)[a-z][a-z0-9-]{0,63}$"
    static let durationPattern = "^[0-9]*[1-9][0-9]*[smhd]$"
    static let datePattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
    static let instantPattern =
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})$"
    static let networkPattern = "^[0-9a-fA-F:.]+/[0-9]{1,3}$"

    /// A whole document.
    static func document(_ shape: MappingShape, title: String, definitions: [String: JSONValue] = [:])
        -> JSONValue
    {
        guard case .object(var members) = schema(of: shape) else { return .null }
        members["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        members["title"] = .string(title)
        if !definitions.isEmpty { members["$defs"] = .object(definitions) }
        return .object(members)
    }

    /// A mapping.
    static func schema(of shape: MappingShape) -> JSONValue {
        var properties: [String: JSONValue] = [:]
        for member in shape.members {
            properties[member.key] = described(schema(of: member.value), member.description)
        }
        var members: [String: JSONValue] = [
            "type": "object", "description": .string(shape.description), "additionalProperties": false,
            "properties": .object(properties),
        ]
        let required = shape.members.filter(\.isRequired).map { JSONValue.string($0.key) }
        if !required.isEmpty { members["required"] = .array(required) }
        let terms = shape.terms.flatMap(schemas)
        if !terms.isEmpty { members["allOf"] = .array(terms) }
        return .object(members)
    }

    private static func described(_ schema: JSONValue, _ description: String) -> JSONValue {
        guard case .object(var members) = schema else { return schema }
        members["description"] = .string(description)
        return .object(members)
    }

    private static func has(_ key: String) -> JSONValue { ["required": [.string(key)]] }

    private static func schemas(of term: MemberTerm) -> [JSONValue] {
        switch term {
        case .exactlyOne(let keys): return [["oneOf": .array(keys.map(has))]]
        case .atMostOne(let keys):
            return [["not": ["required": .array(keys.map(JSONValue.string))]]]
        case .when(let key, let value, let needs, let oneOf, let refuses, _):
            var then: [String: JSONValue] = [:]
            if !needs.isEmpty { then["required"] = .array(needs.map(JSONValue.string)) }
            if !oneOf.isEmpty { then["oneOf"] = .array(oneOf.map(has)) }
            if !refuses.isEmpty { then["not"] = ["anyOf": .array(refuses.map(has))] }
            let condition: JSONValue = [
                "properties": .object([key: ["const": .string(value)]]), "required": [.string(key)],
            ]
            return [["if": condition, "then": .object(then)]]
        }
    }

    /// A value.
    static func schema(of value: ValueShape) -> JSONValue {
        switch value {
        case .text: return ["type": "string", "minLength": 1, "maxLength": 500]
        case .name: return text(namePattern)
        case .duration: return text(durationPattern)
        case .date: return text(datePattern)
        case .instant: return text(instantPattern)
        case .boolean: return ["type": "boolean"]
        case .only(let value): return ["const": .bool(value)]
        case .integer(let range):
            return [
                "type": "integer", "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
            ]
        case .words(let words): return ["enum": .array(words.map(JSONValue.string))]
        case .list(let item): return oneOrMany(schema(of: item))
        case .openList(let item): return oneOrMany(schema(of: item), atLeast: 0)
        case .sequence(let item):
            return ["type": "array", "minItems": 1, "items": schema(of: item)]
        case .mapping(let shape): return schema(of: shape)
        case .members(let item, let keys): return members(schema(of: item), keys)
        case .either(let values): return ["anyOf": .array(values.map { schema(of: $0) })]
        case .conditions(let place): return ["$ref": .string("#/$defs/" + place.rawValue)]
        case .anything: return [:]
        }
    }

    private static func text(_ pattern: String) -> JSONValue {
        ["type": "string", "pattern": .string(pattern)]
    }

    /// A list of at least so many, or a single value in place of a list of one.
    static func oneOrMany(_ item: JSONValue, atLeast count: Int64 = 1) -> JSONValue {
        let list: JSONValue = [
            "type": "array", "items": item, "minItems": .integer(count), "uniqueItems": true,
            "maxItems": .integer(Int64(YAMLNode.longestList)),
        ]
        return ["anyOf": [item, list]]
    }

    private static func members(_ item: JSONValue, _ keys: KeyShape) -> JSONValue {
        var members: [String: JSONValue] = ["type": "object", "minProperties": 1]
        switch keys {
        case .name: members["propertyNames"] = ["pattern": .string(declaredPattern)]
        case .text: members["propertyNames"] = ["minLength": 1]
        case .path:
            members["minProperties"] = nil
            members["maxProperties"] = .integer(Int64(CaseLoader.mostChanges))
        case .words(let words):
            members["properties"] = .object(
                Dictionary(words.map { ($0, item) }, uniquingKeysWith: { first, _ in first }))
            members["additionalProperties"] = false
            return .object(members)
        }
        members["additionalProperties"] = item
        return .object(members)
    }
}

extension JSONValue {
    /// The same document over several lines, keys sorted, ending with a line feed.
    func indentedText(_ indent: String = "") -> String {
        switch self {
        case .null, .bool, .integer, .string: return canonicalText
        case .array(let values):
            let isFlat = values.allSatisfy { value in
                if case .string = value { true } else { false }
            }
            if isFlat { return "[" + values.map(\.canonicalText).joined(separator: ", ") + "]" }
            let inner = indent + "  "
            return "[\n" + values.map { inner + $0.indentedText(inner) }.joined(separator: ",\n")
                + "\n\(indent)]"
        case .object(let members):
            if members.isEmpty { return "{}" }
            let inner = indent + "  "
            let lines = members.sorted { $0.key < $1.key }.map { key, value in
                inner + JSONValue.string(key).canonicalText + ": " + value.indentedText(inner)
            }
            return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
        }
    }
}
