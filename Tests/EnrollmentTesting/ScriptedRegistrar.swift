package import EnrollmentCore
import Synchronization

/// A registrar that answers as told and remembers what it was asked, for tests of front-ends.
///
/// Unscripted, it permits nothing: intents, inquiries and bindings are refused as denied, polls are unknown,
/// and a refused request gets the refusal of its own kind.
package final class ScriptedRegistrar: Registrar {
    /// What to answer, one closure for each question.
    package struct Script: Sendable {
        package var enroll: @Sendable (EnrollmentIntent) -> EnrollmentOutcome
        package var assess: @Sendable (EnrollmentInquiry) -> Assessment
        package var refuse: @Sendable (RefusedRequest) -> EnrollmentOutcome
        package var outcome: @Sendable (TransactionPoll) -> EnrollmentOutcome?
        package var bind: @Sendable (AccountBindingOffer) -> AccountBindingOutcome

        package init(
            enroll: @escaping @Sendable (EnrollmentIntent) -> EnrollmentOutcome = {
                .refused(Refusal(id: $0.id, kind: .denied))
            },
            assess: @escaping @Sendable (EnrollmentInquiry) -> Assessment = {
                .refused(Refusal(id: $0.id, kind: .denied))
            },
            refuse: @escaping @Sendable (RefusedRequest) -> EnrollmentOutcome = {
                .refused(Refusal(id: $0.id, kind: $0.kind))
            },
            outcome: @escaping @Sendable (TransactionPoll) -> EnrollmentOutcome? = { _ in nil },
            bind: @escaping @Sendable (AccountBindingOffer) -> AccountBindingOutcome = {
                .refused(Refusal(id: $0.id, kind: .denied))
            }
        ) {
            self.enroll = enroll
            self.assess = assess
            self.refuse = refuse
            self.outcome = outcome
            self.bind = bind
        }
    }

    /// What it was asked, each list in order of arrival.
    package struct Record: Sendable {
        package var intents: [EnrollmentIntent] = []
        package var inquiries: [EnrollmentInquiry] = []
        package var refusals: [RefusedRequest] = []
        package var polls: [TransactionPoll] = []
        package var bindings: [AccountBindingOffer] = []
    }

    private let services: [ServiceDescription]
    private let defaultService: ServiceName?
    private let authorities: CertificateAuthorities
    private let script: Script
    private let recorded = Mutex(Record())

    /// - Parameters:
    ///   - services: what is declared; every one of them has the same `authorities`.
    ///   - defaultService: what `service(named: nil)` means.
    ///   - authorities: the certificates behind every service.
    ///   - script: the answers.
    package init(
        services: [ServiceDescription] = [ScriptedRegistrar.laptops],
        defaultService: ServiceName? = ServiceName("laptops"),
        authorities: CertificateAuthorities = CertificateAuthorities(issuing: [], chain: []),
        script: Script = Script()
    ) {
        self.services = services
        self.defaultService = defaultService
        self.authorities = authorities
        self.script = script
    }

    /// The service of most tests: SCEP, EST and ACME, with profile `client-auth`.
    package static let laptops = ServiceDescription(
        name: ServiceName("laptops"), protocols: [.scep, .est, .acme],
        profiles: [ProfileName("client-auth"): "TLS client certificates"])

    /// Everything asked so far.
    package var record: Record { recorded.withLock { $0 } }

    package func service(named name: ServiceName?) -> ServiceDescription? {
        guard let wanted = name ?? defaultService else { return nil }
        return services.first { $0.name == wanted }
    }

    package func authorities(for service: ServiceName) -> CertificateAuthorities? {
        services.contains { $0.name == service } ? authorities : nil
    }

    package func enroll(_ intent: EnrollmentIntent) async -> EnrollmentOutcome {
        recorded.withLock { $0.intents.append(intent) }
        return script.enroll(intent)
    }

    package func assess(_ inquiry: EnrollmentInquiry) async -> Assessment {
        recorded.withLock { $0.inquiries.append(inquiry) }
        return script.assess(inquiry)
    }

    package func refuse(_ refused: RefusedRequest) async -> EnrollmentOutcome {
        recorded.withLock { $0.refusals.append(refused) }
        return script.refuse(refused)
    }

    package func outcome(of poll: TransactionPoll) async -> EnrollmentOutcome? {
        recorded.withLock { $0.polls.append(poll) }
        return script.outcome(poll)
    }

    package func bind(_ offer: AccountBindingOffer) async -> AccountBindingOutcome {
        recorded.withLock { $0.bindings.append(offer) }
        return script.bind(offer)
    }
}
