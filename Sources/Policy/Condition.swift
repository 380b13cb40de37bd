import EnrollmentCore

/// A condition of a rule: a test, or a combination of conditions.
package struct Condition: Sendable, Hashable {
    /// What must hold.
    package indirect enum Content: Sendable, Hashable {
        case all([Condition])
        case any([Condition])
        case none([Condition])
        case test(Test)
    }

    package let content: Content
    /// Where its key stands in the rule's file.
    package let position: SourcePosition

    /// - Parameters: as the properties.
    package init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }

    /// Every test in it, in the order of the file.
    package var tests: [Test] {
        switch content {
        case .all(let parts), .any(let parts), .none(let parts): return parts.flatMap(\.tests)
        case .test(let test): return [test]
        }
    }
}

/// One test of one fact.
package struct Test: Sendable, Hashable {
    /// The fact, and how it must be.
    package enum Subject: Sendable, Hashable {
        case attribute(Attribute, AttributeMatcher)
        case posture(source: String, maximumAge: Int64)
        /// Nil takes any source.
        case notJailbroken(source: String?, maximumAge: Int64)
        case oneTimeCredential
        case certificateOfOurs(renewalOnly: Bool)
        case domainControl(maximumAge: Int64)
    }

    package let subject: Subject
    /// As it reads in traces, e.g. `device.group is corp-laptops`.
    package let text: String

    /// - Parameters: as the properties.
    package init(subject: Subject, text: String) {
        self.subject = subject
        self.text = text
    }
}

/// How a value must be. Of an attribute with several values, one must match, but for `subsetOf`.
package enum AttributeMatcher: Sendable, Hashable {
    case oneOf([String])
    case glob(Glob)
    case within([AddressRange])
    /// Of numbers as they are, of durations in seconds, of instants in microseconds since 1970; inclusive.
    case between(ClosedRange<Int64>)
    /// The single value equals that attribute's.
    case equals(Attribute)
    /// Every value is among that attribute's, and there is one at least.
    case subsetOf(Attribute)

    /// The attribute that it compares with.
    package var other: Attribute? {
        switch self {
        case .equals(let other), .subsetOf(let other): return other
        case .oneOf, .glob, .within, .between: return nil
        }
    }
}
