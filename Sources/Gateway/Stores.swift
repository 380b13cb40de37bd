import Database
import EnrollmentCore
import Foundation
import Identity
import Ledger
import Listener
import Logging
import Policy

/// State, configuration and database of one gateway, as every command needs them.
struct Stores {
    let state: StateDirectory
    var configuration: Configuration
    let ledger: PostgresLedger
    let directory: PostgresDeviceDirectory
    /// The transparency log as the gateway's login reads it.
    let log: PostgresLogReader
    let rollback: PostgresRollback
    let receipts: PostgresReceipt
    private let settings: ConnectionSettings

    /// Connections are made when first used, on threads of their own.
    ///
    /// - Parameter deferredHold: seconds for which a deferred request holds its credential, by service.
    init(
        state: StateDirectory, configuration: Configuration,
        deferredHold: @escaping @Sendable (ServiceName) -> Int64 = { _ in 72 * 3_600 }
    ) {
        self.state = state
        self.configuration = configuration
        let database = configuration.database
        settings = ConnectionSettings([
            "host": database.host, "port": String(database.port), "dbname": database.name,
            "user": database.writer,
        ])
        let writer = BatchingWriter(settings)
        let reader = ReadPool(settings)
        ledger = PostgresLedger(
            writer: writer, reader: reader, gateway: configuration.instance, clock: SystemClock(),
            random: SystemRandom(), deferredHold: deferredHold)
        directory = PostgresDeviceDirectory(writer: writer, reader: reader)
        log = PostgresLogReader(reader)
        rollback = PostgresRollback(reader)
        receipts = PostgresReceipt(reader)
    }

    /// The log as its sequencer writes it, on connections of its own.
    func sequencedLog() -> (log: PostgresLog, rollback: PostgresRollback) {
        let login = settings.login(configuration.database.sequencer)
        let reader = ReadPool(login, connections: 2)
        // One process may follow another on this host before the other's lease has run out.
        let holder = "\(configuration.instance)/\(Hex.encode(SystemRandom().octets(4)))"
        return (
            PostgresLog(writer: BatchingWriter(login), reader: reader, holder: holder),
            PostgresRollback(reader)
        )
    }

    /// What compares the stored log with what was seen of it.
    ///
    /// - Throws: `StartupError` when the log's name is not known here.
    func logGuard(
        _ rollback: PostgresRollback, _ log: PostgresLogReader, metrics: Metrics?, logger: Logger
    ) throws -> LogGuard {
        let identity = try LogIdentity.read(state, configuration.log)
        return LogGuard(
            anchor: LogAnchor(state: state, identity: identity), rollback: rollback, log: log,
            places: LogPlaces(
                directories: configuration.log.directories, appendFiles: configuration.log.appendFiles,
                identity: identity),
            metrics: metrics, logger: logger)
    }

    /// The stores of an existing state directory.
    static func open(_ options: CommonOptions) throws -> Stores {
        let (state, configuration) = try configured(options)
        return Stores(state: state, configuration: configuration)
    }

    /// State and configuration, before anything is connected to.
    ///
    /// A configuration given by name that names a database is enough: an auditor has no state.
    ///
    /// - Parameter checksFiles: whether the files that the configuration names must be readable too.
    static func configured(
        _ options: CommonOptions, checksFiles: Bool = false
    ) throws -> (StateDirectory, Configuration) {
        if let path = options.config {
            let state = StateDirectory.named(options.state)
            let configuration = try ConfigurationFile.read(path, state: state, checksFiles: checksFiles)
            if !configuration.database.isEmbedded { return (state, configuration) }
        }
        let state = try StateDirectory.existing(options.state)
        return (
            state,
            try ConfigurationFile.read(
                options.config ?? state.configuration, state: state, checksFiles: checksFiles)
        )
    }

    /// Brings the schema up to date; returns what was applied.
    @discardableResult
    func migrate() throws -> [String] {
        do throws(MigrationError) { return try migrator.migrate() } catch {
            throw Self.fault(error)
        }
    }

    static func fault(_ error: MigrationError) -> StartupError {
        switch error {
        case .database(let cause): return StartupError(cause)
        case .changed(let number, let name):
            return StartupError(
                "the database's schema step \(number) (\(name)) is not this program's",
                remedy: "use the program that made this database, or another --state")
        case .newer(let number):
            return StartupError(
                "the database has schema step \(number), which this program does not know",
                remedy: "use the newer program")
        }
    }

    var migrator: Migrator {
        Migrator(settings.login(configuration.database.migrator), LedgerSchema.migrations)
    }

    var auditor: AuditorQuery { AuditorQuery(settings, login: configuration.database.auditor) }

    /// For what a person does to the record itself.
    var custody: Custody { Custody(settings.login(configuration.database.migrator)) }

    /// Why an act on the record was not done.
    ///
    /// - Parameters:
    ///   - act: what was not done, e.g. `the month is not retired`.
    ///   - remedy: for when the database refused it.
    func fault(_ error: DatabaseError, _ act: String, remedy: String) -> StartupError {
        switch error {
        case .refused(let state, let message):
            return StartupError(
                "\(act) (\(state)): \(message)", remedy: remedy,
                exitCode: error.isTransient ? .dependencyUnavailable : .negative)
        case .unavailable(let reason) where StartupError.isLoginRefused(reason):
            return StartupError(
                "the database does not let \(configuration.database.migrator) in: \(reason)",
                remedy: "run this where that login is set up, as gatehouse db migrate is")
        case .unavailable, .unexpectedRow: return StartupError(error)
        }
    }

    /// The policy bundle of a directory.
    ///
    /// - Parameter output: how programs that read the command's output are told why it does not load; a table
    ///   is for people, who are told by the message.
    static func policyBundle(in directory: String, output: OutputFormat = .table) throws -> PolicyBundle {
        do throws(PolicyLoadError) {
            return try PolicyBundle(files: BundleFile.read(directory: directory))
        } catch {
            if output != .table { Output(error.diagnostics).print(as: output) }
            throw StartupError(
                "the policy bundle in \(directory) does not load:\n\(error)",
                remedy: "mend these places, then run gatehouse policy check", exitCode: .invalid)
        }
    }

    func registeredDevice(_ text: String) async throws -> DeviceID {
        let id = try DeviceID.parse(text)
        guard try await directory.facts(for: id, at: SystemClock().now()) != nil else {
            throw StartupError(
                "the directory knows no device \(id)", remedy: "gatehouse device import FILE",
                exitCode: .notFound)
        }
        return id
    }

    /// Who runs this command, as the ledger names them: the operating system's word, not the caller's. Behind
    /// sudo or su the one who logged in is named too.
    func actor() throws -> String {
        let user = try UnprivilegedUser.current().name
        guard let login = UnprivilegedUser.login, login != user else { return "os:\(user)" }
        return "os:\(user), logged in as \(login)"
    }
}

extension DeviceID {
    static func parse(_ text: String) throws -> DeviceID {
        guard let id = DeviceID(text.withoutCarriageReturn) else {
            throw StartupError(
                "“\(text.prefix(80))” is no device id",
                remedy: "1 to 64 letters, digits, dots, dashes, underscores",
                exitCode: .usage)
        }
        return id
    }
}
