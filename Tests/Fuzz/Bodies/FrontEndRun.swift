import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Synchronization

/// Runs a front-end's answer to its end on the calling thread: fuzzing measures and reproduces one thread.
enum FrontEndRun {
    static let now = Timestamp(seconds: 1_795_348_800)

    /// Runs jobs where they are enqueued.
    private final class InlineExecutor: TaskExecutor {
        func enqueue(_ job: consuming ExecutorJob) { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private final class Slot: Sendable {
        let response = Mutex<FrontEndResponse?>(nil)
    }

    private static let executor = InlineExecutor()

    /// The answer; that there is none, or none HTTP knows, is a finding.
    @discardableResult
    static func answer(_ frontEnd: some ProtocolFrontEnd, _ request: FrontEndRequest) -> FrontEndResponse {
        let slot = Slot()
        Task(executorPreference: executor) {
            let response = await frontEnd.respond(to: request)
            slot.response.withLock { $0 = response }
        }
        guard let response = slot.response.withLock({ $0 }) else { preconditionFailure("no answer") }
        precondition((200..<600).contains(response.status), "status \(response.status)")
        for header in response.headers {
            precondition(header.value.utf8.allSatisfy { (0x20..<0x7f).contains($0) }, "header \(header.name)")
        }
        return response
    }

    private static let authorities = CertificateAuthorities(
        issuing: Vectors.certificate("issuing.pem"), chain: [Vectors.certificate("root.pem")])

    /// Answers every intent by "come back later". New for each input, since it remembers what it is asked.
    static func deferringRegistrar() -> ScriptedRegistrar {
        ScriptedRegistrar(
            authorities: authorities, script: .init(enroll: { .deferred($0.id, retryAfter: 600) }))
    }

    static func request(
        _ method: String, _ path: String, query: String? = nil,
        headers: [(name: String, value: String)] = [],
        _ body: [UInt8] = [], isSecure: Bool = true, clientCertificate: [UInt8]? = nil
    ) -> FrontEndRequest {
        FrontEndRequest(
            id: RequestID(at: now, random: [1, 2, 3]), receivedAt: now, method: method, path: path,
            query: query, headers: headers, body: .complete(body),
            peer: Peer(address: "192.0.2.7", isSecure: isSecure, clientCertificate: clientCertificate))
    }

    /// As a header or a target arrives: one character an octet.
    static func text(_ octets: some Collection<UInt8>) -> String { String(decoding: octets, as: UTF8.self) }
}

extension [UInt8] {
    /// The first `count` lines and what follows them.
    func lines(_ count: Int) -> (lines: [ArraySlice<UInt8>], rest: [UInt8]) {
        var parts = split(separator: UInt8(ascii: "\n"), maxSplits: count, omittingEmptySubsequences: false)
        while parts.count <= count { parts.append([]) }
        return ([ArraySlice<UInt8>](parts.prefix(count)), Array(parts[count]))
    }
}
