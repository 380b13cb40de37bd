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
            let later = try await Self.latest(after: explanation, on: ledger)
            guard common.output == .table else {
                Output.print(
                    object: [
                        ("request", .string(id.description)), ("state", .string(explanation.state)),
                        ("decision", explanation.decision), ("input", explanation.input),
                        ("account", .string(account)),
                        ("superseded_by", JSONValue(explanation.supersededBy?.description)),
                    ], as: common.output)
                return
            }
            Output.write(account)
            Output.write("\nState now: \(explanation.state).\n")
            if let (id, effect) = later { Output.write("Decided again by request \(id): \(effect).\n") }
        }

        /// The last word of the transaction, when it is another request's.
        private static func latest(after explanation: RequestExplanation, on ledger: PostgresLedger)
            async throws -> (RequestID, effect: String)?
        {
            var (next, latest) = (explanation.supersededBy, nil as (RequestID, effect: String)?)
            var seen: Set<RequestID> = []
            while let id = next, seen.insert(id).inserted, let found = try await ledger.why(id) {
                latest = (id, effect(of: found.decision))
                next = found.supersededBy
            }
            return latest
        }

        private static func effect(of decision: JSONValue) -> String {
            guard case .object(let members) = decision else { return "unknown" }
            switch members["effect"] {
            case "permit": return "permitted"
            case "defer": return "deferred"
            case "deny": return "denied"
            default: return "unknown"
            }
        }
    }
}

extension RequestID {
    static func parse(_ text: String) throws -> RequestID {
        guard let id = RequestID(text.withoutCarriageReturn) else {
            throw StartupError(
                "“\(text.prefix(80))” is no request id",
                remedy: "it looks like 0192f0c4-7b6e-7c3a-9d1e-2f4b6a8c0e12", exitCode: .usage)
        }
        return id
    }
}
