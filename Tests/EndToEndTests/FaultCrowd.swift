import Foundation

/// Many EST clients at once (Tests/Clients/est.py).
enum Crowd {
    struct Answer: Decodable {
        /// Seconds since the clients started.
        let at: Double
        /// 0 for no answer.
        let status: Int
        let retryAfter, certificates: String?

        private enum CodingKeys: String, CodingKey {
            case at, status, certificates
            case retryAfter = "retry_after"
        }
    }

    private struct Answers: Decodable { let answers: [Answer] }

    /// - Parameters:
    ///   - name: the common name of every request; nil leaves the names to the directory.
    ///   - more: what else est.py reads: count, threads, same, until.
    static func start(
        _ gate: Gate, _ folder: Folder, name: String?, _ credentials: [MintedCredential],
        _ more: [String: Any]
    ) throws -> Program {
        let spec: [String: Any] = [
            "url": "\(try gate.endpoints.tls)/.well-known/est/laptops/simpleenroll", "root": gate.root,
            "common_name": name ?? NSNull(),
            "credentials": credentials.map { [$0.username, $0.password] },
        ]
        return try Tool.start(
            "python3", Requester.script("est.py"), in: folder,
            input: try JSONSerialization.data(withJSONObject: spec.merging(more) { $1 }))
    }

    /// Waits for the clients to be done.
    static func answers(of program: Program, within seconds: Double = 90) throws -> [Answer] {
        let finished = try program.finish(within: seconds)
        guard finished.status == 0 else { throw Trouble("est.py: \(finished)") }
        return try JSONDecoder().decode(Answers.self, from: finished.data).answers
    }
}
