import ArgumentParser
import EnrollmentCore
import Ledger

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
                throw unknown(id)
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
                "Why a request was answered as it was: outcome, rules, and each condition with what it saw.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The request id.") var id: String

        func run() async throws {
            let id = try RequestID.parse(id)
            guard let explanation = try await Stores.open(common).ledger.why(id) else { throw unknown(id) }
            guard common.output == .table, case .object(let decision) = explanation.decision else {
                Output.print(
                    object: [
                        ("request", .string(id.description)), ("state", .string(explanation.state)),
                        ("decision", explanation.decision), ("input", explanation.input),
                    ], as: common.output)
                return
            }
            let shown = ["effect", "reason_code", "reason", "rule_ids", "owner", "policy", "decided_at"]
            let members = shown.compactMap { name in decision[name].map { (name, $0) } }
            Output.print(
                object: [("request", .string(id.description)), ("state", .string(explanation.state))]
                    + members,
                as: .table)
            Output.write("\nconsidered\n")
            Output.write(TraceText.lines(decision["trace"] ?? .null).map { "  \($0)\n" }.joined())
        }
    }
}

private func unknown(_ id: RequestID) -> StartupError {
    StartupError(
        "the ledger has no request \(id)",
        remedy: "requests beyond the budget for unverified ones are counted only: see audit views",
        exitCode: .notFound)
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

/// A decision's trace as indented text.
enum TraceText {
    static func lines(_ value: JSONValue, indent: String = "") -> [String] {
        switch value {
        case .array(let items):
            return items.flatMap { item in
                let inner = lines(item, indent: indent + "  ")
                guard let first = inner.first else { return [String]() }
                return [indent + "- " + first.trimmingPrefix(while: \.isWhitespace)] + inner.dropFirst()
            }
        case .object(let members):
            return members.sorted { $0.key < $1.key }.flatMap { name, member -> [String] in
                switch member {
                case .array(let items) where !items.isEmpty:
                    return ["\(indent)\(name):"] + lines(member, indent: indent + "  ")
                case .object(let inner) where !inner.isEmpty:
                    return ["\(indent)\(name):"] + lines(member, indent: indent + "  ")
                case .null, .bool, .integer, .string, .array, .object:
                    return ["\(indent)\(name): \(scalar(member))"]
                }
            }
        case .null, .bool, .integer, .string: return [indent + scalar(value)]
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        if case .string(let text) = value { return text }
        return value.canonicalText
    }
}
