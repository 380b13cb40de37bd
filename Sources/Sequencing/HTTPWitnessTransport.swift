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
            let timer = loop.scheduleTask(in: patience) {
                answer.fail(ChannelError.connectTimeout(patience))
            }
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
            return try await answer.futureResult.get()
        } catch {
            throw .unreachable("\(url): \(error)")
        }
    }

    private func configuration() -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        if let trustAnchors { configuration.trustRoots = .file(trustAnchors) }
        return configuration
    }
}

/// `http://` or `https://`, a host without user and port, and a path.
private struct Target {
    let isSecure: Bool
    let host: String
    let port: Int
    let path: String

    init(_ url: String) throws(WitnessError) {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1].isEmpty, ["http:", "https:"].contains(parts[0]),
            url.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw .unreachable("\(url) is no http or https URL") }
        isSecure = parts[0] == "https:"
        let authority = parts[2].split(separator: ":", omittingEmptySubsequences: false)
        let port = authority.count == 2 ? UInt16(authority[1]) : isSecure ? 443 : 80
        guard authority.count <= 2, let port, let name = authority.first, !name.isEmpty, !name.contains("@")
        else { throw .unreachable("\(url) names no host and port") }
        host = String(name)
        self.port = Int(port)
        path = "/" + parts[3]
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
        head.headers.add(name: "Host", value: "\(target.host):\(target.port)")
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
