import EnrollmentCore
import Policy

/// One kind of request that a rule may apply to.
struct RequestKind: Hashable {
    let service: ServiceName
    let profile: ProfileName
    let enrollmentProtocol: EnrollmentProtocol
    let operation: EnrollmentOperation
}

extension PolicyBundle {
    /// Every kind of request that the scope takes in and that some service answers.
    func requests(within scope: RuleScope) -> Set<RequestKind> {
        var kinds: Set<RequestKind> = []
        for (service, profile) in pairs(within: scope) {
            for spoken in service.protocols where scope.protocols?.contains(spoken) ?? true {
                for operation in EnrollmentOperation.allCases
                where scope.operations?.contains(operation) ?? true {
                    kinds.insert(
                        RequestKind(
                            service: service.name, profile: profile.name, enrollmentProtocol: spoken,
                            operation: operation))
                }
            }
        }
        return kinds
    }

    /// The services and their profiles that the scope takes in, in the order of the services.
    func pairs(within scope: RuleScope) -> [(service: Service, profile: CertificateProfile)] {
        services.flatMap { service in
            service.profiles.compactMap { name in
                guard scope.covers(service.name, name) else { return nil }
                return profile(named: name).map { (service, $0) }
            }
        }
    }
}

extension PolicyCase {
    /// The kinds of request it is judged as; several for an account, which no profile is named for.
    func kinds(in bundle: PolicyBundle) -> [RequestKind] {
        guard let service = bundle.service(named: input.service) else { return [] }
        let profiles =
            question == .account && input.requestedProfile == nil
            ? service.profiles : [input.requestedProfile ?? service.profiles.first].compactMap(\.self)
        return profiles.map {
            RequestKind(
                service: service.name, profile: $0, enrollmentProtocol: input.enrollmentProtocol,
                operation: input.operation)
        }
    }
}

extension Decision {
    /// Whether rules were asked at all: the checks that come before them refuse without naming any.
    var askedRules: Bool { outcome.effectName != "deny" || !ruleIDs.isEmpty || reasonCode == "no-rule" }
}

extension Condition {
    /// One test with its place in the file.
    struct Leaf {
        let test: Test
        let position: SourcePosition
        /// Whether it stands below a `none_of`.
        let isNegated: Bool
    }

    /// Every test in it, in the order of the file.
    func leaves(isNegated: Bool = false) -> [Leaf] {
        switch content {
        case .all(let parts), .any(let parts): return parts.flatMap { $0.leaves(isNegated: isNegated) }
        case .none(let parts): return parts.flatMap { $0.leaves(isNegated: !isNegated) }
        case .test(let test): return [Leaf(test: test, position: position, isNegated: isNegated)]
        }
    }
}
