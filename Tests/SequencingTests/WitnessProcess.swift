import Foundation
import Glibc
import Sequencing
import TransparencyLog

/// Tests/Clients/witness.py on a port of its own.
final class WitnessProcess {
    let prefix: String
    let key: NoteVerifierKey
    private let process = Process()
    private let input = Pipe()

    /// A witness of the log with this key, with what it has seen in `folder`.
    init(folder: String, name: String, log: NoteVerifierKey) throws {
        let tests = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", tests.appendingPathComponent("Clients/witness.py").path, folder, name, log.text,
        ]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = ""
        while !line.hasSuffix("\n") {
            let octets = output.fileHandleForReading.availableData
            guard !octets.isEmpty else { throw Missing() }
            line += String(decoding: octets, as: UTF8.self)
        }
        let words = line.split(whereSeparator: \.isWhitespace)
        prefix = "http://127.0.0.1:\(try required(words.first))"
        key = try NoteVerifierKey(parsing: String(try required(words.last)))
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }
}

/// Plain HTTP over a socket.
struct SocketTransport: WitnessTransport {
    func post(_ url: String, body: [UInt8]) async throws(WitnessError) -> WitnessResponse {
        let parts = url.split(separator: "/", maxSplits: 2)
        guard parts.count == 3, let port = parts[1].split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw .unreachable(url)
        }
        let head = """
            POST /\(parts[2]) HTTP/1.1\r\nHost: \(parts[1])\r\nConnection: close\r\n\
            Content-Length: \(body.count)\r\n\r\n
            """
        let answer = try exchange(Array(head.utf8) + body, port: port)
        let text = String(decoding: answer, as: UTF8.self)
        guard let status = text.split(separator: " ").dropFirst().first.flatMap({ Int($0) }),
            let end = text.range(of: "\r\n\r\n")
        else { throw .unreachable("no answer") }
        return WitnessResponse(status: status, body: Array(text[end.upperBound...].utf8))
    }

    private func exchange(_ request: [UInt8], port: UInt16) throws(WitnessError) -> [UInt8] {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0, send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) > 0 else {
            throw .unreachable("nobody listens on \(port)")
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { return answer }
            answer += buffer.prefix(count)
        }
    }
}

/// Cosigns whatever it is asked, in its own time.
struct SlowTransport: WitnessTransport {
    let signer: NoteSigner
    let delay: Duration

    func post(_ url: String, body: [UInt8]) async throws(WitnessError) -> WitnessResponse {
        do {
            try await Task.sleep(for: delay)
            let note = String(decoding: body, as: UTF8.self).components(separatedBy: "\n\n")[1] + "\n"
            return WitnessResponse(
                status: 200, body: Array((try signer.cosign(note, at: 1_800_000_000).line + "\n").utf8))
        } catch { throw .unreachable("\(error)") }
    }
}

/// Never answers, until whoever asks is cancelled.
struct HangingTransport: WitnessTransport {
    func post(_ url: String, body: [UInt8]) async throws(WitnessError) -> WitnessResponse {
        do { try await Task.sleep(for: .seconds(3_600)) } catch { throw .unreachable("\(error)") }
        throw .unreachable("nothing came")
    }
}

/// Answers what a test wants.
struct ScriptedTransport: WitnessTransport {
    let answer: @Sendable ([UInt8]) -> WitnessResponse

    func post(_ url: String, body: [UInt8]) async throws(WitnessError) -> WitnessResponse { answer(body) }
}
