import ArgumentParser
import Database
import EnrollmentCore
import EventFeed
import Ledger
import UnixSignals

/// `gatehouse ledger tail`: the latest facts in the order of the log, and those that follow.
struct LedgerTail: AsyncParsableCommand {
    /// How a fact is written.
    enum Format: String, ExpressibleByArgument, CaseIterable { case table, jsonl, ecs, ocsf, cef }

    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Show what the ledger recorded last, one line a fact.",
        discussion: """
            As the auditor, in the order of the log: nothing appears before what was shown last, and a fact \
            appears once it is a leaf, about a second after it was recorded.

            With --cursor-file each run goes on where the one before ended, at least once: facts shown by \
            one that was killed may come again.

            Exit codes: 0 shown, or interrupted (SIGINT, SIGTERM); 2 usage; 3 the cursor file is none; \
            5 the database does not answer, or the file cannot be written; 6 the log is no longer the one \
            that was shown.

            Example: gatehouse ledger tail -f --kind alert revocation
            """)

    /// Those of `ledger.entry`.
    static let kinds = [
        "request", "decision", "reservation", "certificate", "failure", "revocation", "credential", "account",
        "policy", "admin", "alert", "approval", "redaction", "retention", "rollback",
    ]

    @OptionGroup var common: CommonOptions
    @Flag(name: .shortAndLong, help: "Go on with what follows, until interrupted.")
    var follow = false
    @Option(
        help: """
            table for people (the default); jsonl with the whole fact; ecs, ocsf or cef as a feed sends it.
            """)
    var format: Format?
    @Option(parsing: .upToNextOption, help: "Only facts of these kinds, e.g. decision certificate alert.")
    var kind: [String] = []
    @Option(help: "Begin so long ago, e.g. 10m, instead of with the last few.") var since: LookBack?
    @Option(name: .short, help: "How many to begin with.") var number: Int = 20
    @Option(help: "Begin after what the last run with this file showed; the file is made at the first.")
    var cursorFile: String?

    func validate() throws {
        guard (0...1_000_000).contains(number) else { throw ValidationError("-n takes 0 to 1000000") }
        guard format != nil || common.output == .table || common.output == .jsonl else {
            throw ValidationError("facts are shown as table or jsonl, or by --format as ecs, ocsf or cef")
        }
        for kind in kind where !Self.kinds.contains(kind) {
            throw ValidationError(
                "there is no kind “\(kind)”; there are \(Self.kinds.joined(separator: ", "))")
        }
    }

    func run() async throws {
        var settings = try Stores.settings(common) { $0.auditor }
        settings.isReadOnly = true
        settings.statementTimeout = 60_000
        if follow { try await showUntilInterrupted(settings) } else { try await show(settings) }
    }

    /// A signal ends it between two batches, so that the cursor is that of what was shown.
    private func showUntilInterrupted(_ settings: ConnectionSettings) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await show(settings) }
            group.addTask { for await _ in signals { return } }
            try await group.next()
            group.cancelAll()
        }
    }

    private func show(_ settings: ConnectionSettings) async throws {
        let cursor = cursorFile.map(LedgerTailCursor.init)
        try cursor?.checkFolder()
        let connection = try Connection(settings)
        var position = try EventReader.size(on: connection)
        if let reached = try cursor?.read(on: connection) {
            position = reached
        } else {
            position = try showLatest(position, on: connection)
            try cursor?.write(position, on: connection)
        }
        guard follow || cursor != nil else { return }
        while true {
            let batch = try EventReader.events(from: position, limit: 1_000, on: connection)
            for event in batch.events where kind.isEmpty || kind.contains(event.kind) { print(event) }
            let isCaughtUp = batch.next - position < 1_000
            if batch.next > position { try cursor?.write(batch.next, on: connection) }
            position = batch.next
            if Task.isCancelled || (isCaughtUp && !follow) { return }
            if isCaughtUp, (try? await Task.sleep(for: .seconds(1))) == nil { return }
        }
    }

    /// The last few, or those since an instant; returns the index of the leaf after them.
    private func showLatest(_ size: Int64, on connection: Connection) throws(DatabaseError) -> Int64 {
        let start = since.map { SystemClock().now().adding(seconds: -$0.seconds) }
        let limit = start == nil ? Int64(number) : nil
        var position = size
        for event in try EventReader.latest(kinds: kind, since: start, limit: limit, on: connection) {
            print(event)
            position = max(position, event.index + 1)
        }
        return position
    }

    private func print(_ event: LedgerEvent) {
        switch format ?? (common.output == .jsonl ? .jsonl : .table) {
        case .table: Output.write(Self.line(event) + "\n")
        case .jsonl: Output.write(Self.document(event) + "\n")
        case .ecs: Output.write(EventFormat.ecs.text(of: event) + "\n")
        case .ocsf: Output.write(EventFormat.ocsf.text(of: event) + "\n")
        case .cef: Output.write(EventFormat.cef.text(of: event) + "\n")
        }
    }

    /// Time, what happened, to whom, and why.
    static func line(_ event: LedgerEvent) -> String {
        let time = event.recordedAt.rfc3339
        return "\(time)  \(event.index)  \(Occurrence(event).message)"
    }

    private static func document(_ event: LedgerEvent) -> String {
        JSONValue.object([
            "leaf_index": .integer(event.index), "entry_id": .string(event.entry),
            "kind": .string(event.kind), "recorded_at": .string(event.recordedAt.description),
            "request_id": JSONValue(event.request), "service": JSONValue(event.service),
            "device_id": JSONValue(event.device), "leaf_hash": .string(event.leafHash),
            "body": .string(event.body),
        ]).canonicalText
    }
}

extension Stores {
    /// How to reach the state's database as one of its logins.
    static func settings(
        _ common: CommonOptions, _ login: (Configuration.Database) -> String
    ) throws -> ConnectionSettings {
        let database = try configured(common).1.database
        return ConnectionSettings([
            "host": database.host, "port": String(database.port), "dbname": database.name,
            "user": login(database),
        ])
    }
}
