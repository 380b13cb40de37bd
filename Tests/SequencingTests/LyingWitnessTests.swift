import EnrollmentCore
import Foundation
import Glibc
import Sequencing
import Synchronization
import Testing
import TransparencyLog

/// The client's own HTTP against a witness that means harm: it costs some seconds and nothing else.
struct LyingWitnessTests {
    private static let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

    @Test(
        "an answer that is none leads to an error in time",
        arguments: [
            ("nothing at all", "", 0),
            ("a hundred megabytes", ok + "Content-Length: 100000000\r\n\r\n", 1_000_000),
            ("chunks without an end", ok + "Transfer-Encoding: chunked\r\n\r\nfffff\r\n", 1_048_575),
            ("a head without an end", "HTTP/1.1 200 OK\r\nX-A: ", 2_000_000),
            ("half of what was promised", ok + "Content-Length: 200\r\n\r\n", 100),
            ("no HTTP", "220 mail.example ESMTP\r\n", 0),
        ])
    func hostileAnswers(what: String, head: String, filling: Int) async throws {
        for staysOpen in [false, true] {
            let server = try OneAnswerServer(Array(head.utf8), filling: filling, staysOpen: staysOpen)
            let begun = ContinuousClock.now
            await #expect(throws: WitnessError.self, "\(what)") {
                try await HTTPWitnessTransport(patience: 1).post(server.url, body: [1])
            }
            // Not for ever: how soon this task goes on is up to the tests beside it.
            #expect(ContinuousClock.now - begun < .seconds(120), "\(what)")
        }
    }

    /// A gateway that ends does not wait for a witness.
    @Test func aRequestIsBrokenOff() async throws {
        let server = try OneAnswerServer([], staysOpen: true)
        let asking = Task {
            try await HTTPWitnessTransport(patience: 600).post(server.url, body: [1])
        }
        #expect(try await eventually(within: .seconds(60)) { server.connections == 1 })
        let begun = ContinuousClock.now
        asking.cancel()
        await #expect(throws: WitnessError.self) { try await asking.value }
        #expect(ContinuousClock.now - begun < .seconds(300), "long before its patience ends")
    }

    @Test(arguments: [
        ("http://w.example", true), ("https://w.example:8443/a", true), ("https://[::1]:8443", true),
        ("http://[fe80::1]", true), ("http://127.0.0.1:1", true), ("ftp://w.example", false),
        ("http://", false),
        ("http://w.example:0", false), ("http://w.example:99999", false), ("http://w.example:", false),
        ("http://w.example:+1", false), ("http://::1", false), ("http://[::1", false),
        ("http://[w.example]", false),
        ("http://[::1]8443", false), ("http://a:b:c", false), ("http://u@w.example", false),
        ("http://w example", false),
    ])
    func urlsAreCheckedBeforeTheyAreUsed(prefix: String, isFit: Bool) {
        do throws(WitnessError) {
            try HTTPWitnessTransport.check(prefix + "/add-checkpoint")
            #expect(isFit, "\(prefix)")
        } catch {
            #expect(!isFit && error.description.contains(prefix), "\(prefix): \(error)")
        }
    }

    @Test func aRedirectIsNotFollowed() async throws {
        let elsewhere = try OneAnswerServer(Array((Self.ok + "Content-Length: 0\r\n\r\n").utf8))
        for status in [301, 302, 307, 308] {
            let head = "HTTP/1.1 \(status) Moved\r\nLocation: \(elsewhere.url)\r\nContent-Length: 0\r\n\r\n"
            let server = try OneAnswerServer(Array(head.utf8))
            let answer = try await HTTPWitnessTransport(patience: 5).post(server.url, body: [1])
            #expect(answer.status == status)
        }
        #expect(elsewhere.connections == 0)
    }

    /// The same transport carries what is right.
    @Test func anHonestAnswerArrives() async throws {
        let body = "— w.example AAAAAAAA\n"
        let head = Self.ok + "Content-Length: \(body.utf8.count)\r\n\r\n"
        let server = try OneAnswerServer(Array((head + body).utf8))
        let answer = try await HTTPWitnessTransport(patience: 5).post(server.url, body: Array("old 0".utf8))
        #expect(answer == WitnessResponse(status: 200, body: Array(body.utf8)))
        #expect(server.connections == 1)
    }
}

/// Answers every connection with the same octets, whatever it is asked.
private final class OneAnswerServer: Sendable {
    let url: String
    private let count = Mutex(0)
    private let listener: Int32

    /// - Parameters:
    ///   - answer: what is sent first.
    ///   - filling: how many letters after it.
    ///   - staysOpen: whether the connection is held for good, else it is closed.
    init(_ answer: [UInt8], filling: Int = 0, staysOpen: Bool = false) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw Missing() }
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/add-checkpoint"
        let octets = answer + [UInt8](repeating: UInt8(ascii: "a"), count: filling)
        Thread.detachNewThread { [weak self] in
            var held: [Int32] = []
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                self?.count.withLock { $0 += 1 }
                var buffer = [UInt8](repeating: 0, count: 4_096)
                _ = recv(connection, &buffer, buffer.count, 0)
                var sent = 0
                while sent < octets.count {
                    let step = octets[sent...].withUnsafeBytes {
                        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                    }
                    guard step > 0 else { break }
                    sent += step
                }
                if staysOpen { held.append(connection) } else { close(connection) }
            }
            for connection in held { close(connection) }
        }
    }

    var connections: Int { count.withLock { $0 } }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
