import ArgumentParser
import EnrollmentCore
import Ledger
import Policy
import Registration

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
            let stores = try Stores.open(common)
            let output: Output
            if all {
                output = Self.words(try await stores.ledger.spokenWords(limit: limit))
            } else {
                let bundle = try await stores.policyInForce()?.bundle
                output = Self.waiting(try await stores.ledger.waitingRequests(limit: limit), bundle)
            }
            output.print(as: common.output)
        }

        /// - Parameter bundle: the one in force, by which requests will be judged again; `recorded` says what
        ///   the decisions asked for, where that is something else.
        private static func waiting(_ requests: [WaitingRequest], _ bundle: PolicyBundle?) -> Output {
            let columns = [
                "request", "since", "device", "service", "operation", "protocol", "asks", "recorded",
                "approved_by", "denied_by", "minted_by", "until",
            ]
            let now = SystemClock().now()
            let rows = requests.map { request in
                let approvals = request.required.map { request.approval($0, by: bundle, at: now) }
                let asks = zip(request.required, approvals).map { $1?.sentence ?? "\($0.rule) asks no more" }
                let recorded = request.required.map(\.sentence)
                let isChanged = approvals.map { $0?.terms.sentence } != recorded
                return [
                    .string(request.request.description), .string(request.since.wholeSeconds.rfc3339),
                    JSONValue(request.device?.rawValue), .string(request.service.rawValue),
                    .string(request.operation), .string(request.enrollmentProtocol),
                    .string(asks.joined(separator: "; ")),
                    JSONValue(isChanged ? recorded.joined(separator: "; ") : nil),
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
        let bundle = try await stores.policyInForce()?.bundle
        try check(verdict, of: request, by: bundle)
        let word = Approval(approver: person, verdict: verdict, at: SystemClock().now())
        let spoken = SpokenWord(request: request.request, word: word, reason: reason)
        switch try await stores.ledger.append(spoken) {
        case .recorded:
            let after = try await stores.ledger.waitingRequest(id) ?? request
            Output.message(outcome(verdict, of: after, by: bundle))
        case .issued, .inFlight:
            throw StartupError(
                "request \(id) has its certificate already",
                remedy: "see gatehouse request why \(id)",
                exitCode: .negative)
        case .unknown, .notDeferred: throw try await notWaiting(id)
        }
    }

    /// Refuses a word that the policy in force would not count, so that nobody believes it does. What the
    /// record asks for may be older. Policy looks again.
    private func check(_ verdict: Approval.Verdict, of request: WaitingRequest, by bundle: PolicyBundle?)
        throws
    {
        let asked = request.approvals(by: bundle, at: SystemClock().now())
        guard !asked.isEmpty else { throw nobodyAsked(request) }
        let mine = asked.filter { $0.terms.members.contains(person) }
        guard !mine.isEmpty else {
            let members = Set(asked.flatMap(\.terms.members)).sorted()
            let teams = Set(asked.map(\.terms.team)).sorted().joined(separator: ", ")
            let isFormer = request.required.contains { $0.members.contains(person) }
            throw StartupError(
                "you are \(person), whom the policy in force does not ask: that is for \(teams)"
                    + (isFormer ? "; the recorded decision, under an older policy, did ask you" : ""),
                remedy: members.isEmpty
                    ? "name the team's members in owners.yaml"
                    : "ask one of \(members.joined(separator: ", "))",
                exitCode: .negative)
        }
        let isMinter = request.mintedBy.map(Approval.person) == person
        guard verdict == .approve, isMinter, mine.allSatisfy(\.terms.needsFourEyes) else { return }
        throw StartupError(
            "you minted the credential of this request, and the rule asks for four eyes",
            remedy: "ask somebody else of \(mine.map(\.terms.team).joined(separator: ", "))",
            exitCode: .negative)
    }

    private func nobodyAsked(_ request: WaitingRequest) -> StartupError {
        let recorded = request.required.map { "\($0.rule): \($0.sentence)" }.joined(separator: "; ")
        return StartupError(
            "the policy in force asks nobody about this request; the recorded decision "
                + (recorded.isEmpty ? "names no team" : "asked for \(recorded)"),
            remedy: "have the device ask again: it is judged by the policy in force", exitCode: .negative)
    }

    private func outcome(
        _ verdict: Approval.Verdict, of request: WaitingRequest, by bundle: PolicyBundle?
    ) -> String {
        let said = verdict == .approve ? "approved" : "denied"
        let spoken = "\(said) request \(request.request) as \(person)"
        let device = request.device?.rawValue ?? "the device"
        guard request.waits else {
            return "\(spoken); \(device) has had another answer meanwhile, and must ask once more"
        }
        let asked = request.approvals(by: bundle, at: SystemClock().now())
        guard verdict == .approve, !asked.contains(where: { $0.missing == 0 && $0.deniers.isEmpty }) else {
            return "\(spoken); \(device) is answered at its next poll"
        }
        let progress = asked.map { asked.count == 1 ? $0.progress : "\($0.rule): \($0.progress)" }
        return "\(spoken); " + progress.joined(separator: "; ")
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

extension WaitingRequest {
    /// What a bundle asks for where the recorded decision asked for that; nil when it asks no more.
    fileprivate func approval(_ required: RequiredApproval, by bundle: PolicyBundle?, at now: Timestamp)
        -> PolicyApproval?
    {
        guard let bundle else { return nil }
        return PolicyApproval(rule: required.rule, of: bundle, words: words, mintedBy: mintedBy, at: now)
    }

    fileprivate func approvals(by bundle: PolicyBundle?, at now: Timestamp) -> [PolicyApproval] {
        required.compactMap { approval($0, by: bundle, at: now) }
    }
}

extension PolicyApproval {
    fileprivate var sentence: String { "\(terms.sentence): \(approvers.count) so far" }
}

extension ApprovalTerms {
    /// What the rule asks for, in a few words.
    fileprivate var sentence: String {
        ApprovalSentence.of(count, team, members, within, fourEyes: needsFourEyes)
    }
}

extension RequiredApproval {
    /// What the rule asked for, in a few words.
    fileprivate var sentence: String { ApprovalSentence.of(count, team, members, within, fourEyes: fourEyes) }
}

private enum ApprovalSentence {
    static func of(_ count: Int, _ team: String, _ members: [String], _ within: Int64, fourEyes: Bool)
        -> String
    {
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
