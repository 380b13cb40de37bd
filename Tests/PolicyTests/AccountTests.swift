import EnrollmentCore
import Testing

@testable import Policy

/// Whether a device may have an account: a question about the device, whatever it will ask for.
struct AccountTests {
    /// Reasons that only a certificate request can give.
    private static let ofRequest: Set<ReasonCode> = [
        .keyNotAllowed, .keyMissing, .namesUnsupported, .namesDiffer, .namesMissing, .identityChanged,
        .usageDiffers, .validityPast,
    ]

    /// A healthy laptop before it has asked for anything.
    private func laptop() throws -> PolicyInput {
        var input = try StarterBundle.laptop()
        input.enrollmentProtocol = .acme
        input.request = RequestFacts(names: CertificateNames(), publicKey: nil)
        return input
    }

    private func server() throws -> PolicyInput {
        var input = try laptop()
        input.service = ServiceName("servers")
        input.device?.groups = ["servers"]
        return input
    }

    private func engine(with rule: String? = nil) throws -> PolicyEngine {
        guard let rule else { return PolicyEngine(bundle: try StarterBundle.load()) }
        return PolicyEngine(bundle: try PolicyBundle(files: StarterBundle.files() + Self.rule(rule)))
    }

    private static func rule(_ body: String) -> [BundleFile] {
        let text = WideBundle.head("extra") + body
        return [
            BundleFile(path: "rules/extra.yaml", bytes: Array(text.utf8)),
            BundleFile(path: "rules/extra.cases.yaml", bytes: Array(WideBundle.cases.utf8)),
        ]
    }

    @Test func permitsDevicesThatMayOrder() throws {
        let engine = try engine()
        for (input, rule) in [(try laptop(), "corp-laptop-client-auth"), (try server(), "server-tls")] {
            let decision = engine.assessAccount(input)
            #expect(decision.reasonCode == "permitted" && decision.ruleIDs == [rule])
            guard case .permit(let grant) = decision.outcome else { continue }
            #expect(grant.names == CertificateNames() && grant.extendedKeyUsages == [])
            #expect(grant.maximumNotAfter == input.instant && decision.obligations == [:])
        }
        #expect(!engine.assess(try server()).isPermit)
    }

    /// Every denial of a first request that is not about the request denies the account for the same reason.
    @Test(arguments: PolicyEngineTests.denials + PolicyEngineTests.deferrals)
    func judgesTheDeviceAsEver(_ each: EngineCase) throws {
        let engine = try engine()
        var input = try StarterBundle.laptop()
        try each.change(&input)
        let decision = engine.assessAccount(input)
        if Self.ofRequest.contains(each.code) {
            #expect(decision.isPermit, "\(decision.reasonCode)")
        } else {
            #expect(decision.reasonCode == each.code.rawValue)
            #expect(decision.outcome == engine.decide(input).outcome)
        }
    }

    @Test func theRequestIsNotLookedAt() throws {
        for policyCase in try StarterBundle.load().cases {
            var bare = policyCase.input
            bare.request = RequestFacts(names: CertificateNames(), publicKey: nil)
            let engine = try engine()
            #expect(engine.assessAccount(bare) == engine.assessAccount(policyCase.input))
        }
    }

    /// What could be decided on a request can be on the account that orders it.
    @Test func whoMayEnrollMayHaveAnAccount() throws {
        for bundle in [try StarterBundle.load(), try PolicyBundle(files: WideBundle.files())] {
            let engine = PolicyEngine(bundle: bundle)
            for policyCase in bundle.cases where engine.decide(policyCase.input).isPermit {
                #expect(engine.assessAccount(policyCase.input).isPermit, "\(policyCase.name)")
            }
        }
    }

    @Test func namesThatTheDirectoryLacksStillDeny() throws {
        var input = try server()
        input.device?.dns = []
        #expect(try engine().assessAccount(input).reasonCode == "no-rule")
    }

    @Test func whatIsToComeIsTakenAsTheRuleWantsIt() throws {
        let negated =
            WideBundle.permit + """
                require:
                  device.group: network-gear
                  none_of:
                    - request.common_name: { glob: "root*" }
                    - device.serial: STOLEN
                certificate: { common_name: "{device.id}", validity: { at_most: 20d } }
                """
        let engine = try engine(with: negated)
        var input = try server()
        input.device?.groups = ["network-gear"]
        input.device?.serial = "C02"
        #expect(engine.assessAccount(input).ruleIDs == ["extra"])
        input.device?.serial = "STOLEN"
        #expect(engine.assessAccount(input).reasonCode == "no-rule")
    }

    @Test func denyRulesBlockByTheDeviceAlone() throws {
        let block = """
            effect: deny
            applies_to: { service: servers, profile: any }
            block_unless:
              request.key_algorithm: [ec-p256]
              client.address: { within: 10.0.0.0/8 }
            """
        let engine = try engine(with: block)
        var input = try server()
        #expect(engine.assessAccount(input).ruleIDs == ["extra"] && !engine.assessAccount(input).isPermit)
        input.clientAddress = "10.1.2.3"
        #expect(engine.assessAccount(input).ruleIDs == ["server-tls"])
    }

    @Test func oneProfileOfTheServiceIsEnough() throws {
        let files = try StarterBundle.files(
            editing: "catalog/services.yaml", "profiles: [server-auth]",
            "profiles: [client-auth, server-auth]")
        let engine = PolicyEngine(bundle: try PolicyBundle(files: files))
        var input = try server()
        #expect(engine.assessAccount(input).ruleIDs == ["server-tls"])
        input.device?.posture = []
        #expect(engine.assessAccount(input).ruleIDs == ["server-tls"])
        input.requestedProfile = ProfileName("client-auth")
        #expect(!engine.assessAccount(input).isPermit)
    }
}
