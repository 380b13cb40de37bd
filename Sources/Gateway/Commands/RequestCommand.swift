import ArgumentParser
import EnrollmentCore
import Ledger
import PolicyReview

/// `gatehouse request`
struct RequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request", abstract: "What the ledger holds of one request.",
        subcommands: [Show.self, Why.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every ledger entry about a request, in order, as it was hashed.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The request id: the correlation id that the client was told.") var id: String

        func run() async throws {
            let id = try RequestID.parse(id)
            guard let history = try await Stores.open(common).ledger.requestRecord(id) else {
                throw RecordedAccount.unknown(id)
            }
            let rows = history.entries.map { entry in
                [
                    .string(entry.recordedAt.description), .string(entry.kind), .string(entry.writer),
                    entry.body,
                ] as [JSONValue]
            }
            Output(columns: ["recorded_at", "kind", "writer", "body"], rows: rows).print(as: common.output)
        }
    }

    struct Why: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Why a request was answered as it was: an account in plain English, from the ledger alone.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The request id.") var id: String

        func run() async throws {
            let id = try RequestID.parse(id)
            let ledger = try Stores.open(common).ledger
            guard let explanation = try await ledger.why(id),
                let recorded = try await RecordedAccount.read(id, from: ledger)
            else { throw RecordedAccount.unknown(id) }
            let account = recorded.account.document.string(.markdown)
            guard common.output == .table else {
                Output.print(
                    object: [
                        ("request", .string(id.description)), ("state", .string(explanation.state)),
                        ("decision", explanation.decision), ("input", explanation.input),
                        ("account", .string(account)),
                    ], as: common.output)
                return
            }
            Output.write(account)
            Output.write("\nState now: \(explanation.state).\n")
        }
    }
}

extension RequestID {
    static func parse(_ text: String) throws -> RequestID {
        guard let id = RequestID(text) else {
            throw StartupError(
                "“\(text.prefix(80))” is no request id",
                remedy: "it looks like 0192f0c4-7b6e-7c3a-9d1e-2f4b6a8c0e12", exitCode: .usage)
        }
        return id
    }
}
