import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// HTTP/1.1 with or without TLS, one connection a request, every wait and every size limited.
package struct HTTPWitnessTransport: WitnessTransport {
    fileprivate static let maximumBody = 65_536

    private let trustAnchors: String?
    private let patience: TimeAmount

    /// - Parameters:
    ///   - trustAnchors: a PEM file with whom to trust for `https`; the system's if nil.
    ///   - patience: seconds within which the whole answer has to be there.
    package init(trustAnchors: String? = nil, patience: Int64 = 15) {
        self.trustAnchors = trustAnchors
        self.patience = .seconds(patience)
    }

    package func post(_ url: String, body: [UInt8]) async throws(WitnessError) -> WitnessResponse {
        let target = try Target(url)
        do {
            let context = target.isSecure ? try NIOSSLContext(configuration: configuration()) : nil
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let answer = loop.makePromise(of: WitnessResponse.self)
            // Ended by whatever comes first: the answer, a fault, or this.
            let timer = loop.scheduleTask(in: patience) { answer.fail(NoAnswer(within: patience)) }
            defer { timer.cancel() }
            let connecting = ClientBootstrap(group: loop).connectTimeout(patience)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let context {
                            try pipeline.addHandler(
                                try NIOSSLClientHandler(context: context, serverHostname: target.serverName))
                        }
                        try pipeline.addHTTPClientHandlers()
                        try pipeline.addHandler(AnswerCollector(target: target, body: body, answer: answer))
                    }
                }
                .connect(host: target.host, port: target.port)
            connecting.whenFailure { answer.fail($0) }
            connecting.whenSuccess { channel in
                answer.futureResult.whenComplete { _ in channel.close(promise: nil) }
            }
            return try await withTaskCancellationHandler {
                try await answer.futureResult.get()
            } onCancel: {
                answer.fail(CancellationError())
            }
        } catch {
            throw .unreachable("\(url): \(error)")
        }
    }

    /// Whether requests to it can be made.
    ///
    /// - Throws: `WitnessError` saying what is wrong with it.
    package static func check(_ url: String) throws(WitnessError) { _ = try Target(url) }

    private func configuration() -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        if let trustAnchors { configuration.trustRoots = .file(trustAnchors) }
        return configuration
    }
}

private struct NoAnswer: Error, CustomStringConvertible {
    let description: String

    init(within patience: TimeAmount) {
        description = "no answer within \(patience.nanoseconds / 1_000_000_000) s"
    }
}

/// `http://` or `https://`, a host without user and port, and a path.
private struct Target {
    let isSecure: Bool
    /// Host and port as they were written (RFC 9110 §7.2).
    let authority: String
    /// A name or an address, an IPv6 address without its brackets.
    let host: String
    let port: Int
    let path: String

    init(_ url: String) throws(WitnessError) {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1].isEmpty, ["http:", "https:"].contains(parts[0]),
            url.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw .unreachable("\(url) is no http or https URL") }
        isSecure = parts[0] == "https:"
        authority = String(parts[2])
        guard let (host, port) = Self.split(parts[2], unnamed: isSecure ? 443 : 80), port > 0 else {
            throw .unreachable("\(url) names no host and port")
        }
        self.host = String(host)
        self.port = Int(port)
        path = "/" + parts[3]
    }

    private static func split(_ authority: Substring, unnamed: UInt16) -> (host: Substring, port: UInt16)? {
        let end: Substring.Index
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            end = authority.index(after: bracket)
        } else {
            end = authority.firstIndex(of: ":") ?? authority.endIndex
        }
        let (name, rest) = (authority[..<end], authority[end...])
        let host = name.hasPrefix("[") ? name.dropFirst().dropLast() : name
        let isAddress = (try? SocketAddress(ipAddress: String(host), port: 0)) != nil
        guard !host.isEmpty, !host.contains("@"), isAddress || !name.hasPrefix("[") else { return nil }
        if rest.isEmpty { return (host, unnamed) }
        guard rest.dropFirst().allSatisfy(\.isNumber), let port = UInt16(rest.dropFirst()) else { return nil }
        return rest.hasPrefix(":") ? (host, port) : nil
    }

    /// An IP address is no server name (RFC 6066 §3).
    var serverName: String? {
        (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
    }
}

/// Sends the request once connected and gathers the one answer.
private final class AnswerCollector: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private struct TooLarge: Error {}
    private struct Closed: Error {}

    private let target: Target
    private let body: [UInt8]
    private let answer: EventLoopPromise<WitnessResponse>
    private var status = 0
    private var received: [UInt8] = []

    init(target: Target, body: [UInt8], answer: EventLoopPromise<WitnessResponse>) {
        self.target = target
        self.body = body
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: target.path)
        head.headers.add(name: "Host", value: target.authority)
        head.headers.add(name: "Connection", value: "close")
        head.headers.add(name: "Content-Length", value: String(body.count))
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): status = Int(head.status.code)
        case .body(let part):
            received += part.readableBytesView
            if received.count > HTTPWitnessTransport.maximumBody { fail(context, TooLarge()) }
        case .end: answer.succeed(WitnessResponse(status: status, body: received))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { fail(context, Closed()) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}
