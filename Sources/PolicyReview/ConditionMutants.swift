import Policy

/// Makes the mutants of a list of conditions and of what is in them.
struct ConditionMutants {
    /// What holds the list together.
    enum Kind { case rule, all, any, none }

    let parts: [Condition]
    let kind: Kind
    var isNegated = false
    /// The rule with another list in this one's place.
    let make: (_ parts: [Condition], _ position: SourcePosition, _ change: String) -> Mutant

    var groups: [[Mutant]] {
        parts.indices.flatMap { index -> [[Mutant]] in
            let part = parts[index]
            let own = deletion(at: index) + loosenings(at: index)
            switch part.content {
            case .test: return [own] + omissions(at: index)
            case .all(let inner): return [own] + nested(inner, .all, at: index)
            case .any(let inner): return [own] + nested(inner, .any, at: index)
            case .none(let inner): return [own] + nested(inner, .none, at: index)
            }
        }
    }

    /// Deleting the only member of a list deletes the list, which is a mutant of its own.
    private func deletion(at index: Int) -> [Mutant] {
        guard kind == .rule || parts.count > 1 else { return [] }
        let noun =
            switch kind {
            case .rule, .all: "condition"
            case .any: "alternative"
            case .none: "exception"
            }
        let text = parts[index].tests.map(\.text).joined(separator: ", ")
        var rest = parts
        rest.remove(at: index)
        return [make(rest, parts[index].position, "delete this \(noun) (\(text))")]
    }

    /// Below `none_of`, what takes in more leaves less to pass.
    private func loosenings(at index: Int) -> [Mutant] {
        guard case .test(let test) = parts[index].content, !isNegated else { return [] }
        return test.loosenings(at: parts[index].position).map { condition, change in
            make(replacing(index, condition), parts[index].position, "\(change) (\(test.text))")
        }
    }

    /// Below `none_of`, each value of a list keeps something out by itself.
    private func omissions(at index: Int) -> [[Mutant]] {
        guard case .test(let test) = parts[index].content, isNegated,
            case .attribute(let attribute, .oneOf(let values)) = test.subject, values.count > 1
        else { return [] }
        return values.map { value in
            let rest = AttributeMatcher.oneOf(values.filter { $0 != value })
            let shorter = Test(subject: .attribute(attribute, rest), text: test.text)
            let position = parts[index].position
            return [
                make(
                    replacing(index, Condition(.test(shorter), at: position)), position,
                    "take \(value) off this list (\(test.text))")
            ]
        }
    }

    private func nested(_ inner: [Condition], _ kind: Kind, at index: Int) -> [[Mutant]] {
        ConditionMutants(parts: inner, kind: kind, isNegated: isNegated != (kind == .none)) {
            list, place, change in
            let content: Condition.Content =
                switch kind {
                case .rule, .all: .all(list)
                case .any: .any(list)
                case .none: .none(list)
                }
            return make(replacing(index, Condition(content, at: parts[index].position)), place, change)
        }
        .groups
    }

    private func replacing(_ index: Int, _ condition: Condition) -> [Condition] {
        var copy = parts
        copy[index] = condition
        return copy
    }
}

extension Condition {
    /// A condition that always holds: nothing is true of none.
    static func always(at position: SourcePosition) -> Condition {
        Condition(.none([Condition(.all([]), at: position)]), at: position)
    }
}

extension Test {
    /// Weaker tests of the same fact, each with what was done to it.
    func loosenings(at position: SourcePosition) -> [(Condition, String)] {
        func changed(_ subject: Subject, _ change: String) -> (Condition, String) {
            (Condition(.test(Test(subject: subject, text: text)), at: position), change)
        }
        let aged = "let the fact be ten years old"
        switch subject {
        case .posture(let source, let age):
            guard age < MutantMaker.anyAge else { return [] }
            return [changed(.posture(source: source, maximumAge: MutantMaker.anyAge), aged)]
        case .notJailbroken(let source, let age):
            var weaker: [(Condition, String)] = []
            if age < MutantMaker.anyAge {
                weaker.append(changed(.notJailbroken(source: source, maximumAge: MutantMaker.anyAge), aged))
            }
            if source != nil {
                weaker.append(
                    changed(.notJailbroken(source: nil, maximumAge: age), "take any source's word"))
            }
            return weaker
        case .domainControl(let age):
            guard age < MutantMaker.anyAge else { return [] }
            return [changed(.domainControl(maximumAge: MutantMaker.anyAge), aged)]
        case .certificateOfOurs(let renewalOnly):
            return renewalOnly
                ? [changed(.certificateOfOurs(renewalOnly: false), "take it for first enrolments too")] : []
        case .attribute(let attribute, let matcher):
            guard !attribute.isAlwaysKnown, !matcher.takesAnything else { return [] }
            return [(Self.present(attribute, text, at: position), "let \(attribute.rawValue) be anything")]
        case .oneTimeCredential: return []
        }
    }

    /// Whether the attribute is there, whatever it is: what is absent is unknown, and its negation too.
    private static func present(_ attribute: Attribute, _ text: String, at position: SourcePosition)
        -> Condition
    {
        let nothing = Test(subject: .attribute(attribute, .oneOf([])), text: text)
        return Condition(.none([Condition(.test(nothing), at: position)]), at: position)
    }
}

extension AttributeMatcher {
    /// Whether every value that an attribute may have matches.
    fileprivate var takesAnything: Bool {
        switch self {
        case .between(let range): return range.lowerBound <= 0 && range.upperBound == .max
        case .oneOf, .glob, .within, .equals, .subsetOf: return false
        }
    }
}
