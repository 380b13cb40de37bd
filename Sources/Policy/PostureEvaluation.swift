import EnrollmentCore

/// Judges posture facts. A fact that is missing, unknown, out of reach, older than allowed or dated in the
/// future may change; an unsafe one blocks, whichever source it comes from.
struct PostureEvaluation {
    private enum Currency { case current, stale, future, undated }

    let facts: [PostureFact]
    let instant: Timestamp
    /// Seconds, inclusive.
    let maximumAge: Int64

    /// Whether `source` says compliant and no source says otherwise.
    func compliance(from source: String, _ text: String) -> Finding {
        let own = facts.filter { $0.source == source }.map { compliance($0, text) }
        let unsafe = facts.filter { $0.source != source && $0.status == .noncompliant }.map {
            compliance($0, text)
        }
        return worst(own + unsafe) ?? missing(source, text)
    }

    /// Whether a source says that the device is not jailbroken, and no source says that it is.
    func notJailbroken(from source: String?, _ text: String) -> Finding {
        let own = facts.filter { source == nil || $0.source == source }.map { notJailbroken($0, text) }
        let others = facts.filter { source != nil && $0.source != source && $0.jailbroken == true }
        let unsafe = own.filter { $0.value == true } + others.map { notJailbroken($0, text) }
        if let unsafe = worst(unsafe) { return unsafe }
        return own.first { $0.verdict == .satisfied } ?? worst(own) ?? missing(source, text)
    }

    /// The finding with the worst verdict, the first of those.
    private func worst(_ findings: [Finding]) -> Finding? {
        findings.min { $0.verdict < $1.verdict }
    }

    private func missing(_ source: String?, _ text: String) -> Finding {
        Finding(text: text, verdict: .pending, code: .postureMissing, source: source)
    }

    private func compliance(_ fact: PostureFact, _ text: String) -> Finding {
        let value = JSONValue.string(fact.status.rawValue)
        switch fact.status {
        case .unknown: return pending(fact, text, value, .postureUnknown)
        case .unavailable: return pending(fact, text, value, .postureUnavailable)
        case .compliant, .noncompliant:
            if let gap = gap(fact) { return pending(fact, text, value, gap) }
            return settled(fact, text, value, isSafe: fact.status == .compliant, .postureNoncompliant)
        }
    }

    private func notJailbroken(_ fact: PostureFact, _ text: String) -> Finding {
        guard let jailbroken = fact.jailbroken else {
            return pending(
                fact, text, .null, fact.status == .unavailable ? .postureUnavailable : .postureUnknown)
        }
        if let gap = gap(fact) { return pending(fact, text, .bool(jailbroken), gap) }
        if fact.status == .unavailable, !jailbroken {
            return pending(fact, text, .bool(jailbroken), .postureUnavailable)
        }
        return settled(fact, text, .bool(jailbroken), isSafe: !jailbroken, .postureJailbroken)
    }

    private func gap(_ fact: PostureFact) -> ReasonCode? {
        switch currency(fact) {
        case .current: return nil
        case .stale: return .postureStale
        case .future: return .postureFuture
        case .undated: return .postureUnavailable
        }
    }

    private func currency(_ fact: PostureFact) -> Currency {
        guard let observed = fact.observedAt else { return .undated }
        if observed > instant { return .future }
        return instant > observed.adding(seconds: maximumAge) ? .stale : .current
    }

    private func pending(_ fact: PostureFact, _ text: String, _ value: JSONValue, _ code: ReasonCode)
        -> Finding
    {
        Finding(text: text, verdict: .pending, code: code, value: value, source: fact.source, age: age(fact))
    }

    private func settled(
        _ fact: PostureFact, _ text: String, _ value: JSONValue, isSafe: Bool, _ code: ReasonCode
    ) -> Finding {
        Finding(
            text: text, verdict: isSafe ? .satisfied : .unsatisfied, code: isSafe ? nil : code, value: value,
            source: fact.source, age: age(fact))
    }

    private func age(_ fact: PostureFact) -> Int64? { fact.observedAt.map { instant.seconds(since: $0) } }
}
