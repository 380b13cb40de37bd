import ACME
import EST
import EnrollmentCore
import EventFeed
import Identity
import Issuance
import Ledger
import Listener
import Logging
import Policy
import Registration
import SCEP
import ServiceLifecycle
import UnixSignals

/// One gateway in service: everything is wired here and nowhere else.
struct Gateway {
    private let stores: Stores
    private let policy: ActivePolicy

    private var configuration: Configuration { stores.configuration }

    /// Until a bundle is in force, everything is denied.
    init(state: StateDirectory, configuration: Configuration) {
        let policy = ActivePolicy()
        self.policy = policy
        stores = Stores(state: state, configuration: configuration) { service in
            policy.engine.bundle.service(named: service)?.limits.deferredCredentialHold ?? 0
        }
    }

    /// Brings the schema up to date.
    func migrate() throws { try stores.migrate() }

    /// Serves until SIGINT or SIGTERM, then drains.
    func run() async throws {
        let clock = SystemClock()
        let logger = Logger(label: "gatehouse") { JSONLogHandler(label: $0, level: .info, clock: clock) }
        let metrics = Metrics()
        let budget = UnverifiedBudget()
        let issuers = try AuthorityStore(state: stores.state).issuers()
        let logGuard = try stores.logGuard(stores.rollback, stores.log, metrics: metrics, logger: logger)
        let authority = try await registrationAuthority(issuers, logGuard, budget, metrics, logger)
        let server = try await server(authority, logGuard, metrics, logger)
        var watch = PolicyWatch(
            activation: activation(Set(issuers.keys), metrics, logger),
            directory: PolicyDirectory(path: configuration.policies), metrics: metrics, logger: logger)
        PolicyWatch.holdHangups()
        try await stores.ledger.checkReadiness()
        await logGuard.check(await logGuard.publishedCheckpoints())
        try await watch.start()
        try await prepareLedger(logger)
        let housekeeping = Housekeeping(ledger: stores.ledger, budget: budget, clock: clock, logger: logger)
        let services: [any ServiceLifecycle.Service] =
            try sequencers(logGuard, metrics, logger) + feeds(metrics, logger)
            + [logGuard, server, housekeeping, watch]
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) },
            gracefulShutdownSignals: [.sigint, .sigterm], logger: logger)
        group.maximumGracefulShutdownDuration = .seconds(30)
        try await ServiceGroup(configuration: group).run()
        await housekeeping.flush()
    }

    /// Where the checkpoint key is, the log is sequenced.
    private func sequencers(
        _ logGuard: LogGuard, _ metrics: Metrics, _ logger: Logger
    ) throws -> [any ServiceLifecycle.Service] {
        let identity = logGuard.anchor.identity
        guard try identity.signer(stores.state, configuration.log, generation: 0) != nil else { return [] }
        return [
            SequencerService(
                state: stores.state, configuration: configuration, identity: identity, logGuard: logGuard,
                log: stores.sequencedLog().log, metrics: metrics, logger: logger)
        ]
    }

    /// Every replica may have the feeds; each is delivered by one at a time.
    private func feeds(_ metrics: Metrics, _ logger: Logger) -> [any ServiceLifecycle.Service] {
        configuration.feeds.map { feed in
            FeedDelivery(
                feed, ledger: stores.ledger, instance: configuration.instance, logger: logger
            ) { report in
                metrics.setFeed(
                    report.name, position: report.position, behind: report.behind,
                    isConnected: report.isConnected, failures: report.failures)
            }
        }
    }

    private func activation(_ issuers: Set<String>, _ metrics: Metrics, _ logger: Logger)
        -> PolicyActivation
    {
        PolicyActivation(
            active: policy, ledger: stores.ledger, clock: SystemClock(),
            actor: "gatehouse \(configuration.instance)", issuers: issuers, check: Stores.policyCheck
        ) { verdict in
            verdict.log(to: logger)
            verdict.count(in: metrics)
        }
    }

    private func registrationAuthority(
        _ issuers: [String: CertificateAuthority], _ logGuard: LogGuard, _ budget: UnverifiedBudget,
        _ metrics: Metrics, _ logger: Logger
    ) async throws -> RegistrationAuthority {
        let random = SystemRandom()
        guard let serials = RandomSerialNumbers(instance: 1 + random.octets(1)[0] % 0x7f, random: random)
        else {
            throw StartupError("no serial number source", remedy: "report this")
        }
        let masterKeys = try KeyStore(state: stores.state).masterKeys()
        return RegistrationAuthority(
            policy: policy, issuers: issuers,
            verifier: LedgerProofVerifier(
                ledger: stores.ledger, credentials: stores.ledger, masterKeys: masterKeys,
                guesses: GuessLimiter()),
            directory: stores.directory, ledger: GuardedLedger(ledger: stores.ledger, logGuard: logGuard),
            credentials: stores.ledger, clock: SystemClock(),
            serials: serials, budget: budget, observer: observer(metrics, logger))
    }

    private func observer(_ metrics: Metrics, _ logger: Logger) -> EnrollmentObserver {
        EnrollmentObserver(
            reached: CrashPoint.reached,
            decided: { decision, id, enrollmentProtocol in
                metrics.countDecision(effect: decision.effect.rawValue)
                logger.info(
                    "decided",
                    metadata: [
                        "request": "\(id)", "protocol": "\(enrollmentProtocol)",
                        "effect": "\(decision.effect)",
                        "reason": "\(decision.reasonCode)", "rules": .array(decision.ruleIDs.map { "\($0)" }),
                    ])
            },
            failed: { error, id in
                logger.error("ledger out of reach", metadata: ["request": "\(id)", "cause": "\(error)"])
            })
    }

    /// Records the authorities at work, and closes what an earlier run of this gateway left half-done, before
    /// any request is let in.
    private func prepareLedger(_ logger: Logger) async throws {
        let clock = SystemClock()
        try await stores.ledger.append(
            AdminEvent(
                at: clock.now(), actor: try stores.actor(), action: "gateway.start",
                target: configuration.instance,
                reason: try AuthorityStore(state: stores.state).fingerprints()))
        let closed = try await stores.ledger.reconcile(gateway: configuration.instance, now: clock.now())
        if closed > 0 { logger.warning("closed dangling reservations", metadata: ["count": "\(closed)"]) }
    }

    private func server(
        _ authority: RegistrationAuthority, _ logGuard: LogGuard, _ metrics: Metrics, _ logger: Logger
    ) async throws -> GatewayServer {
        let store = AuthorityStore(state: stores.state)
        let identity = try await store.listener(at: SystemClock().now(), random: SystemRandom())
        let scepIdentity = try store.registrationAuthority()
        let nonceKey = try KeyStore(state: stores.state).masterKeys().nonceKey
        let validator = try domainValidator()
        let (configuration, stores, policy) = (configuration, stores, policy)
        return GatewayServer(
            configuration: GatewayServerConfiguration(
                tls: Endpoint(host: configuration.tls.host, port: configuration.tls.port),
                http: Endpoint(host: configuration.http.host, port: configuration.http.port),
                admin: Endpoint(host: configuration.admin.host, port: configuration.admin.port),
                identity: identity),
            checks: [
                ReadinessCheck(name: "database") { await Self.answersSoon(stores.ledger) },
                ReadinessCheck(name: "policy") { policy.hasBundle },
                ReadinessCheck(name: "ledger", reason: { logGuard.standing.objection }),
            ],
            metrics: metrics, clock: SystemClock(), random: SystemRandom(), logger: logger
        ) { ports in
            let endpoints = Endpoints(
                tls: configuration.tls.url("https", ports.tls),
                http: configuration.http.url("http", ports.http),
                admin: configuration.admin.url("http", ports.admin), http01Port: configuration.acme.http01Port
            )
            let acme = ACMEServer(
                baseURL: endpoints.tls, registrar: authority, store: stores.ledger, clock: SystemClock(),
                random: SystemRandom(), nonceKey: nonceKey, validator: validator)
            let scep = SCEPServer(
                registrar: authority, registrationAuthority: scepIdentity, random: SystemRandom())
            try endpoints.write(to: stores.state)
            Output.announce(endpoints.welcome(stores.state, objection: logGuard.standing.objection))
            return FrontEnds(
                est: ESTServer(registrar: authority), acme: acme, scep: scep,
                log: LogFrontEnd(log: stores.log, logGuard: logGuard)
            ) { name in authority.issuerCertificate(named: name) }
        }
    }

    /// Whether the database answers within a second; a probe must not wait as long as a request may.
    private static func answersSoon(_ ledger: PostgresLedger) async -> Bool {
        let (answers, report) = AsyncStream.makeStream(of: Bool.self)
        Task { report.yield((try? await ledger.checkReadiness()) != nil) }
        Task {
            try? await Task.sleep(for: .seconds(1))
            report.yield(false)
        }
        return await answers.first { _ in true } ?? false
    }

    private func domainValidator() throws -> HTTP01Validator {
        let networks = try configuration.acme.allowedNetworks.map { text in
            guard let network = IPNetwork(text) else {
                throw StartupError(
                    "acme.allowed_networks: “\(text)” is no network", remedy: "write e.g. 10.0.0.0/8",
                    exitCode: .invalid)
            }
            return network
        }
        let acme = configuration.acme
        return HTTP01Validator(
            .init(
                port: acme.http01Port, allowedPorts: [80, 443, acme.http01Port, acme.tlsALPN01Port],
                addresses: AddressPolicy(allowed: networks), resolvesLocalhost: acme.resolvesLocalhost))
    }
}

extension Configuration.Listener {
    /// The base URL of this listener, configured or built from host and bound port.
    func url(_ scheme: String, _ port: Int) -> String {
        baseURL ?? "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
