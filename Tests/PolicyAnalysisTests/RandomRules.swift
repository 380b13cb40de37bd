import EnrollmentCore

@testable import Policy

/// A fact and how it must be; both modules that tests import have a `Test`.
typealias TestSubject = Test.Subject

/// Makes small sets of rules over a few facts, so that all requests that they tell apart can be tried.
struct RandomRules {
    var numbers: SeededNumbers

    init(seed: UInt64) { numbers = SeededNumbers(seed: seed) }

    private static let position = SourcePosition(file: "rules/generated.yaml", line: 1, column: 1)

    /// One to four rules for laptops.
    mutating func rules() -> [Rule] {
        var pool: [Test.Subject] = []
        for _ in 0..<Int.random(in: 1...3, using: &numbers) { pool += theme() }
        return (0..<Int.random(in: 1...4, using: &numbers)).map { rule(number: $0, pool) }
    }

    /// The same rules with one or two edits.
    mutating func edited(_ rules: [Rule]) -> [Rule] {
        var edited = rules
        let pool = rules.flatMap(\.conditions).flatMap { $0.tests }.map(\.subject)
        for _ in 0..<Int.random(in: 1...2, using: &numbers) {
            let place = Int.random(in: 0..<max(edited.count, 1), using: &numbers)
            guard edited.indices.contains(place) else { continue }
            switch Int.random(in: 0..<5, using: &numbers) {
            case 0: edited.remove(at: place)
            case 1: edited.append(rule(number: 7, pool))
            case 2: edited[place].conditions.append(condition(pool, depth: 1, isNegated: false))
            case 3 where edited[place].effect != .deny: edited[place].effect = .permit(terms())
            default: edited[place].mode = numbers.pick([.shadow, .off])
            }
        }
        return Dictionary(edited.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }).values
            .sorted { $0.id < $1.id }
    }

    private mutating func theme() -> [Test.Subject] {
        let globs = ["LT-*", "*-7", "LT*", "*9"].compactMap { Glob($0) }
        let ranges = ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"].compactMap { try? AddressRange($0) }
        let themes: [[Test.Subject]] = [
            [.attribute(.deviceGroup, .oneOf(["a"])), .attribute(.deviceGroup, .oneOf(["b"]))],
            [.attribute(.deviceGroup, .oneOf(["a", "b"])), .attribute(.deviceGroup, .oneOf(["a"]))],
            [.oneTimeCredential, .certificateOfOurs(renewalOnly: true)],
            [.certificateOfOurs(renewalOnly: false), .oneTimeCredential],
            [
                .attribute(.deviceActiveCertificates, .between(0...3)),
                .attribute(.deviceActiveCertificates, .between(2...Int64.max)),
            ],
            [.posture(source: "intune", maximumAge: 14_400)],
            [.notJailbroken(source: nil, maximumAge: 14_400)],
            [.notJailbroken(source: "intune", maximumAge: 3_600)],
            ranges.map { .attribute(.clientAddress, .within([$0])) },
            globs.map { .attribute(.deviceSerial, .glob($0)) } + [
                .attribute(.deviceSerial, .oneOf(["LT-7"]))
            ],
            [
                .attribute(.deviceUDID, .equals(.deviceSerial)),
                .attribute(.deviceSerial, .oneOf(["x"])),
            ],
            [.attribute(.requestDNS, .subsetOf(.deviceDNS))],
            [.domainControl(maximumAge: 3_600)],
            [.attribute(.requestCommonName, .equals(.deviceID))],
            [
                .attribute(.requestProtocol, .oneOf(["est"])),
                .attribute(.requestOperation, .oneOf(["renew"])),
            ],
            [.attribute(.requestKeyAlgorithm, .oneOf(["ec-p256"]))],
            [
                .attribute(.requestValidity, .between(0...86_400)),
                .attribute(.credentialFailedAttempts, .between(0...2)),
            ],
        ]
        return numbers.pick(themes)
    }

    private mutating func rule(number: Int, _ pool: [Test.Subject]) -> Rule {
        let isDeny = numbers.chance(25)
        let count = Int.random(in: 1...3, using: &numbers)
        let approval = ApprovalTerms(
            team: "office", members: ["os:ann", "os:bob"], count: numbers.pick([1, 2, 3]), within: 86_400,
            needsFourEyes: numbers.chance(30), position: Self.position)
        return Rule(
            id: "rule-\(number)", title: "generated", owner: Owner(team: "nobody", contact: "nobody"),
            reviewBy: Timestamp(seconds: 4_000_000_000), mode: .enforce,
            effect: isDeny ? .deny : .permit(terms()), scope: scope(),
            conditions: (0..<count).map { _ in condition(pool, depth: 0, isNegated: false) },
            approval: !isDeny && numbers.chance(12) ? approval : nil, because: nil, position: Self.position)
    }

    private mutating func scope() -> RuleScope {
        RuleScope(
            services: [TestBundle.service], profiles: [TestBundle.profile],
            protocols: numbers.chance(15) ? [numbers.pick([.est, .scep])] : nil,
            operations: numbers.chance(15) ? [numbers.pick([.enroll, .renew])] : nil)
    }

    private mutating func terms() -> CertificateTerms {
        func template(_ text: String) -> [NameTemplate] { [try? NameTemplate(text)].compactMap { $0 } }
        let kinds: [(String?, [String])] = [
            ("{device.id}", []), ("{device.id}", []), ("{device.serial}", []), (nil, ["{device.dns}"]),
            ("{device.id}", ["{device.dns}"]), (nil, ["{request.dns}"]),
        ]
        let (common, dns) = numbers.pick(kinds)
        return CertificateTerms(
            commonName: common.flatMap { template($0).first }, dns: dns.flatMap(template), email: [], upn: [],
            extendedKeyUsages: nil, maximumValidity: numbers.pick([7, 30]) * 86_400,
            replacesDifferences: numbers.chance(20), position: Self.position)
    }

    private mutating func condition(_ pool: [Test.Subject], depth: Int, isNegated: Bool) -> Condition {
        if depth < 2, numbers.chance(30) {
            let isNone = numbers.chance(35)
            let parts = (0..<Int.random(in: 1...2, using: &numbers)).map { _ in
                condition(pool, depth: depth + 1, isNegated: isNegated || isNone)
            }
            let content: Condition.Content =
                isNone ? .none(parts) : numbers.chance(70) ? .any(parts) : .all(parts)
            return Condition(content, at: Self.position)
        }
        // What may be missing for now cannot stand where it had better not hold.
        let allowed = isNegated ? pool.filter(Self.mayBeNegated) : pool
        let subject = allowed.isEmpty ? .attribute(.deviceGroup, .oneOf(["a"])) : numbers.pick(allowed)
        return Condition(.test(Test(subject: subject, text: "\(subject)")), at: Self.position)
    }

    private static func mayBeNegated(_ subject: Test.Subject) -> Bool {
        if case .attribute = subject { return true }
        return false
    }
}
