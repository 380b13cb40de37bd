import Foundation
import Listener
import Testing

/// The gateway speaks HTTP/1.1 and switches to nothing (RFC 9110 §7.8): a request to switch is answered as
/// if it had not been one. Since the octets behind it may belong to the other protocol, nothing behind it is
/// taken for a request, and the connection ends.
@Suite(.serialized)
struct UpgradeTests {
    private static let h2c = """
        GET /scep/first HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n\
        Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n
        """

    static let upgrades = [
        h2c,
        "GET /scep/first HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET /scep/first HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n",
        "GET /scep/first HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\n\r\n",
        "POST /scep/first HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
            + "Content-Length: 5\r\n\r\nhello",
        "POST /scep/first HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ]
    private static let next = "GET /scep/second HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"

    @Test(arguments: Door.allCases, upgrades)
    func answeredAsOrdinary(_ door: Door, _ request: String) async throws {
        try await RunningGateway.with { gateway in
            let started = ContinuousClock.now
            let answer = try await gateway.say(request + Self.next, at: door)
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(answer.prefix(300))")
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "\(answer)")
            #expect(answer.contains(" /scep/first - body=\(request.hasPrefix("POST") ? 5 : 0) "))
            #expect(answer.lowercased().contains("\r\nconnection: close\r\n"))
            #expect(!answer.lowercased().contains("\r\nupgrade:"))
            // Closed by the gateway, not by a time-out.
            #expect(ContinuousClock.now - started < .seconds(8))
        }
    }

    /// Without an Upgrade field there is nothing to switch to, and the connection goes on.
    @Test(arguments: Door.allCases)
    func theWordAloneIsNothing(_ door: Door) async throws {
        try await RunningGateway.with { gateway in
            let request = "GET /scep/first HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n\r\n"
            let answer = try await gateway.say(request + Self.next, at: door)
            #expect(answer.components(separatedBy: "HTTP/1.1 200 OK").count == 3, "\(answer)")
            #expect(answer.contains("GET /scep/second"))
        }
    }

    /// HTTP/2 with prior knowledge (RFC 9113 §3.3), and a tunnel: refused, closed, nothing served.
    @Test(
        arguments: Door.allCases,
        ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"])
    func refused(_ door: Door, _ request: String) async throws {
        try await RunningGateway.with { gateway in
            let answer = try await gateway.say(request + Self.next, at: door)
            #expect(answer.components(separatedBy: "HTTP/1.1 ").count == 2, "\(answer)")
            #expect(answer.hasPrefix("HTTP/1.1 400") || answer.hasPrefix("HTTP/1.1 505"))
            #expect(answer.lowercased().contains("\r\nconnection: close\r\n"))
            #expect(!answer.contains("/scep/second"))
        }
    }

    /// A client that would like HTTP/2 gets along without, and the gateway still serves the next one.
    @Test func curlAsksForHTTP2() async throws {
        try await RunningGateway.with { gateway in
            for url in [gateway.http("/scep/x"), gateway.tls("/acme/x")] {
                let answer = try await gateway.curl(
                    ["--http2", "-w", "%{http_code} %{http_version}", url, "--next", "-sS", "-k", url])
                #expect(answer.contains("200 1.1") && answer.components(separatedBy: "GET /").count == 3)
            }
        }
    }

    /// The listeners that the world reaches.
    enum Door: CaseIterable { case http, tls }
}

extension RunningGateway {
    /// Sends text to a listener, reads until the gateway closes, returns what came back.
    fileprivate func say(_ text: String, at door: UpgradeTests.Door) async throws -> String {
        switch door {
        case .http: return try await raw(text)
        case .tls:
            let path = file("raw-\(UUID().uuidString)")
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            let client = "timeout 10 openssl s_client -quiet -ign_eof -connect 127.0.0.1:\(ports.tls)"
            return try await Program.run("sh", ["-c", "\(client) 2>\(path).err <\(path)"])
        }
    }
}
