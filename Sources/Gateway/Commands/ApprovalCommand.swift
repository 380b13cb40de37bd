import ArgumentParser
import EnrollmentCore
import Ledger
import Policy

/// `gatehouse approval`
struct ApprovalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approval", abstract: "Requests that wait for a person: list, approve, deny.",
        subcommands: [List.self, Approve.self, Deny.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List what waits for approval, the longest waiting first.")

        @OptionGroup var common: CommonOptions
        @Flag(help: "List what was said instead, the latest first.") var all = false
        @Option(help: "At most so many.") var limit: Int = 100

        func run() async throws {
            let ledger = try Stores.open(common).ledger
            let output =
                all
                ? Self.words(try await ledger.spokenWords(limit: limit))
                : Self.waiting(try await ledger.waitingRequests(limit: limit))
            output.print(as: common.output)
        }

        private static func waiting(_ requests: [WaitingRequest]) -> Output {
            let columns = [
                "request", "since", "device", "service", "operation", "protocol", "asks", "approved_by",
                "denied_by", "minted_by", "until",
            ]
            let rows = requests.map { request in
                [
                    .string(request.request.description), .string(request.since.wholeSeconds.rfc3339),
                    JSONValue(request.device?.rawValue), .string(request.service.rawValue),
                    .string(request.operation), .string(request.enrollmentProtocol),
                    .string(request.required.map(\.sentence).joined(separator: "; ")),
                    .string(request.approvedBy.joined(separator: ";")),
                    .string(request.deniedBy.joined(separator: ";")), JSONValue(request.mintedBy),
                    JSONValue(request.heldUntil?.wholeSeconds.rfc3339),
                ] as [JSONValue]
            }
            return Output(columns: columns, rows: rows)
        }

        private static func words(_ words: [SpokenWord]) -> Output {
            let columns = ["at", "approver", "verdict", "device", "service", "request", "reason"]
            let rows = words.map { spoken in
                [
                    .string(spoken.word.at.wholeSeconds.rfc3339), .string(spoken.word.approver),
                    .string(spoken.word.verdict.rawValue), JSONValue(spoken.device?.rawValue),
                    JSONValue(spoken.service?.rawValue), .string(spoken.request.description),
                    JSONValue(spoken.reason),
                ] as [JSONValue]
            }
            return Output(columns: columns, rows: rows)
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Approve a request that waits, in your name.",
            discussion: "Your word is recorded for good; the latest of yours counts.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The request's id, as approval list shows it.") var id: String
        @Option(help: "Why.") var reason: String?

        func run() async throws { try await Speaker(common).say(.approve, of: id, because: reason) }
    }

    struct Deny: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deny a request that waits, in your name.",
            discussion: "One denial outweighs all approvals, until the same person approves.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The request's id, as approval list shows it.") var id: String
        @Option(help: "Why.") var reason: String

        func run() async throws { try await Speaker(common).say(.deny, of: id, because: reason) }
    }
}

/// Who runs the command, about to say something of a request.
private struct Speaker {
    private let stores: Stores
    /// As teams list their members: whoever logged in, behind sudo too.
    private let person: String

    init(_ options: CommonOptions) throws {
        stores = try Stores.open(options)
        person = try UnprivilegedUser.person()
    }

    func say(_ verdict: Approval.Verdict, of text: String, because reason: String?) async throws {
        if let reason, !(1...1_000).contains(reason.unicodeScalars.count) {
            throw StartupError(
                "the reason is empty or too long", remedy: "say it in 1 to 1000 characters",
                exitCode: .usage)
        }
        let id = try RequestID.parse(text)
        guard let request = try await stores.ledger.waitingRequest(id) else { throw try await notWaiting(id) }
        try check(verdict, of: request)
        let word = Approval(approver: person, verdict: verdict, at: SystemClock().now())
        let spoken = SpokenWord(request: request.request, word: word, reason: reason)
        switch try await stores.ledger.append(spoken) {
        case .recorded: Output.message(outcome(verdict, of: request))
        case .issued, .inFlight:
            throw StartupError(
                "request \(id) has its certificate already",
                remedy: "see gatehouse request why \(id)",
                exitCode: .negative)
        case .unknown, .notDeferred: throw try await notWaiting(id)
        }
    }

    /// Refuses a word that policy would not count, so that nobody believes it does. Policy looks again.
    private func check(_ verdict: Approval.Verdict, of request: WaitingRequest) throws {
        let asked = request.required.filter { $0.members.contains(person) }
        guard !asked.isEmpty else {
            let members = Set(request.required.flatMap(\.members)).sorted()
            let teams = Set(request.required.map(\.team)).sorted().joined(separator: ", ")
            throw StartupError(
                "you are \(person), who is not asked: "
                    + (teams.isEmpty ? "the decision names no team" : "that is for \(teams)"),
                remedy: members.isEmpty
                    ? "name the team's members in owners.yaml"
                    : "ask one of \(members.joined(separator: ", "))",
                exitCode: .negative)
        }
        let isMinter = request.mintedBy.map(Approval.person) == person
        guard verdict == .approve, isMinter, asked.allSatisfy(\.fourEyes) else { return }
        throw StartupError(
            "you minted the credential of this request, and the rule asks for four eyes",
            remedy: "ask somebody else of \(asked.map(\.team).joined(separator: ", "))", exitCode: .negative)
    }

    private func outcome(_ verdict: Approval.Verdict, of request: WaitingRequest) -> String {
        let said = verdict == .approve ? "approved" : "denied"
        let device = request.device?.rawValue ?? "the device"
        let next =
            request.waits
            ? "\(device) is answered at its next poll"
            : "\(device) has had another answer meanwhile, and must ask once more"
        return "\(said) request \(request.request) as \(person); \(next)"
    }

    private func notWaiting(_ id: RequestID) async throws -> StartupError {
        guard let explanation = try await stores.ledger.why(id) else {
            return StartupError(
                "the ledger has no request \(id)", remedy: "gatehouse approval list", exitCode: .notFound)
        }
        return StartupError(
            "request \(id) waits for no approval: it is \(explanation.state)",
            remedy: "see gatehouse request why \(id), and gatehouse approval list", exitCode: .negative)
    }
}

extension RequiredApproval {
    /// What the rule asks for, in a few words.
    fileprivate var sentence: String {
        let eyes = fourEyes ? ", four eyes" : ""
        return "\(count) of \(team) (\(members.joined(separator: ", "))) within \(within.durationText)\(eyes)"
    }
}

extension Int64 {
    /// Seconds in the largest unit that holds them whole, as policies write durations.
    fileprivate var durationText: String {
        let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "m")]
        let whole = units.first { self >= $0.0 && isMultiple(of: $0.0) } ?? (1, "s")
        return "\(self / whole.0)\(whole.1)"
    }
}
