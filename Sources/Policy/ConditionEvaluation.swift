package import EnrollmentCore

/// What one test found.
package struct Finding: Sendable {
    /// The test as it reads, e.g. `device.group is corp-laptops`.
    package let text: String
    package let verdict: Verdict
    /// Why it is not satisfied, when there is more to say than "it is not so".
    package var code: ReasonCode?
    /// What was seen; null when there was nothing.
    package var value: JSONValue = .null
    /// The posture source that said so.
    package var source: String?
    /// Seconds from observation to the instant of judgement.
    package var age: Int64?
}

/// What one condition came to, with the tests below it.
package struct ConditionResult: Sendable {
    package let verdict: Verdict
    /// Of the tests below it, in the order of the file.
    package let findings: [Finding]

    /// The code that explains the verdict: that of the first test that shares it.
    package var code: ReasonCode? { findings.first { $0.verdict == verdict && $0.code != nil }?.code }
}

/// Evaluates conditions over one input, which it holds for all who judge it.
package final class ConditionEvaluation: Sendable {
    let input: PolicyInput
    /// What is to come later counts as given.
    let question: PolicyQuestion

    /// - Parameters: the facts, and what is asked about them.
    package init(input: PolicyInput, question: PolicyQuestion) {
        self.input = input
        self.question = question
    }

    /// - Parameter isNegated: whether the condition stands where it had better not hold.
    package func evaluate(_ condition: Condition, isNegated: Bool = false) -> ConditionResult {
        switch condition.content {
        case .all(let parts): return combine(parts, isNegated) { $0.min() ?? .unsatisfied }
        case .any(let parts): return combine(parts, isNegated) { $0.max() ?? .unsatisfied }
        case .none(let parts): return combine(parts, !isNegated) { ($0.max() ?? .satisfied).negated }
        case .test(let test):
            let finding = evaluate(test, isNegated)
            return ConditionResult(verdict: finding.verdict, findings: [finding])
        }
    }

    private func combine(
        _ parts: [Condition], _ isNegated: Bool, _ verdict: ([Verdict]) -> Verdict
    ) -> ConditionResult {
        let results = parts.map { evaluate($0, isNegated: isNegated) }
        return ConditionResult(
            verdict: verdict(results.map(\.verdict)), findings: results.flatMap(\.findings))
    }

    /// What one test finds.
    ///
    /// - Parameter isNegated: whether it stands below a `none_of`.
    package func evaluate(_ test: Test, _ isNegated: Bool = false) -> Finding {
        switch test.subject {
        case .attribute(let attribute, let matcher):
            return laterFinding(attribute, matcher, test.text, isNegated)
                ?? attributeFinding(attribute, matcher, test.text, isNegated)
        case .posture(let source, let maximumAge):
            return PostureEvaluation(
                facts: input.device?.posture ?? [], instant: input.instant, maximumAge: maximumAge
            )
            .compliance(from: source, test.text)
        case .notJailbroken(let source, let maximumAge):
            return PostureEvaluation(
                facts: input.device?.posture ?? [], instant: input.instant, maximumAge: maximumAge
            )
            .notJailbroken(from: source, test.text)
        case .oneTimeCredential: return credentialFinding(test.text)
        case .certificateOfOurs(let renewalOnly):
            return certificateFinding(renewalOnly: renewalOnly, test.text)
        case .domainControl(let maximumAge): return domainFinding(maximumAge: maximumAge, test.text)
        }
    }

    /// What a certificate request will bring is taken to be what the rule wants of it. What it is compared
    /// with must be there: nothing is within the names of a device that has none.
    private func laterFinding(
        _ attribute: Attribute, _ matcher: AttributeMatcher, _ text: String, _ isNegated: Bool
    ) -> Finding? {
        let compared = [attribute] + (matcher.other.map { [$0] } ?? [])
        let isToCome =
            question == .account && compared.contains(where: \.isOfRequest)
            || question == .inquiry && input.request.publicKey == nil && attribute == .requestKeyAlgorithm
        guard isToCome else { return nil }
        guard compared.allSatisfy({ $0.isOfRequest || !$0.values(in: input).isEmpty }) else {
            return Finding(text: text, verdict: .unknown)
        }
        return Finding(text: text + Self.later, verdict: isNegated ? .unsatisfied : .satisfied)
    }

    private static let later = " (to be shown later)"

    private func attributeFinding(
        _ attribute: Attribute, _ matcher: AttributeMatcher, _ text: String, _ isNegated: Bool
    ) -> Finding {
        let values = attribute.values(in: input)
        let verdict = values.isEmpty ? Verdict.unknown : match(attribute, values, matcher, isNegated)
        let shown = values.prefix(32).map(JSONValue.string)
        return Finding(
            text: text, verdict: verdict,
            value: values.isEmpty ? .null : values.count == 1 ? shown[0] : .array(Array(shown)))
    }

    /// Of what the directory or the gateway says one value is enough. Of what the client asks for every value
    /// must match, or one good name would carry others past the rule; below `none_of`, for the same reason,
    /// one is enough.
    ///
    /// - Parameter values: at least one.
    private func match(
        _ attribute: Attribute, _ values: [String], _ matcher: AttributeMatcher, _ isNegated: Bool
    ) -> Verdict {
        func satisfied(_ holds: Bool) -> Verdict { holds ? .satisfied : .unsatisfied }
        func anyOrAll(_ matches: (String) -> Bool) -> Bool {
            attribute.isOfRequest && !isNegated ? values.allSatisfy(matches) : values.contains(where: matches)
        }
        switch matcher {
        case .oneOf(let wanted): return satisfied(anyOrAll { wanted.holds($0) })
        case .glob(let glob): return satisfied(anyOrAll { glob.matches($0) })
        case .between(let range):
            guard let number = attribute.number(in: input) else { return .unknown }
            return satisfied(range.contains(number))
        case .within(let ranges):
            let known = values.flatMap { value in ranges.compactMap { $0.contains(value) } }
            return known.isEmpty ? .unknown : satisfied(known.contains(true))
        case .equals(let other):
            let others = other.values(in: input)
            return others.isEmpty
                ? .unknown : satisfied(values.count == 1 && others.count == 1 && others.holds(values[0]))
        case .subsetOf(let other):
            let others = other.values(in: input)
            return others.isEmpty ? .unknown : satisfied(others.holdsAll(values))
        }
    }

    private func credentialFinding(_ text: String) -> Finding {
        let devices = input.proofs.compactMap { proof -> DeviceID? in
            switch proof {
            case .oneTimeCredential(_, let device, .usable), .account(_, _, let device, .usable):
                return device
            case .oneTimeCredential, .account, .clientCertificate, .domainControl: return nil
            }
        }
        return proofFinding(devices, text)
    }

    private func certificateFinding(renewalOnly: Bool, _ text: String) -> Finding {
        if renewalOnly, input.operation == .enroll { return Finding(text: text, verdict: .unsatisfied) }
        let devices = input.proofs.compactMap { proof -> DeviceID? in
            if case .clientCertificate(_, let device, .valid, _) = proof { return device }
            return nil
        }
        return proofFinding(devices, text)
    }

    /// Satisfied when a proof of the kind names the registered device itself.
    private func proofFinding(_ devices: [DeviceID], _ text: String) -> Finding {
        let isOurs = input.device.map { device in devices.contains(device.id) } ?? false
        return Finding(
            text: text, verdict: isOurs ? .satisfied : .unsatisfied,
            value: devices.first.map { .string($0.rawValue) } ?? .null)
    }

    private func domainFinding(maximumAge: Int64, _ text: String) -> Finding {
        let names = input.request.names.dns.map(asciiLowercased)
        let shown = input.proofs.flatMap { proof -> [DomainAuthorization] in
            if case .domainControl(let authorizations) = proof { return authorizations }
            return []
        }
        let current = shown.filter {
            let age = input.instant.seconds(since: $0.validatedAt)
            return $0.validatedAt <= input.instant && age <= maximumAge
        }
        let covered = Set(current.map { asciiLowercased($0.name) })
        let isCovered = !names.isEmpty && covered.isSuperset(of: names)
        let value = JSONValue.array(covered.sorted().prefix(32).map(JSONValue.string))
        if question == .account || question == .inquiry && !isCovered && !names.isEmpty {
            return Finding(text: text + Self.later, verdict: .satisfied, value: value)
        }
        return Finding(text: text, verdict: isCovered ? .satisfied : .unsatisfied, value: value)
    }
}
