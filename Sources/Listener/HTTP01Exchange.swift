import ACME
import NIOCore
import NIOHTTP1
import NIOPosix

/// One GET over a connection of its own.
enum HTTP01Exchange {
    /// What is kept of a response.
    struct Response: Sendable {
        let status: Int
        let location: String?
        /// Nil when it was longer than 512 octets.
        let body: [UInt8]?
    }

    /// - Throws: `.connection` when the address cannot be reached, does not speak HTTP/1, or is too slow.
    static func get(
        _ target: ValidationTarget, at address: IPAddress, by deadline: NIODeadline
    ) async throws(HTTP01Validator.Failure) -> Response {
        do {
            let socketAddress = try SocketAddress(
                packedIPAddress: ByteBuffer(bytes: address.octets), port: target.port)
            let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
            let answer = eventLoop.makePromise(of: Response.self)
            let timer = eventLoop.scheduleTask(deadline: deadline) {
                answer.fail(ChannelError.connectTimeout(.zero))
            }
            defer { timer.cancel() }
            let connecting = ClientBootstrap(group: eventLoop)
                .connectTimeout(max(.milliseconds(1), deadline - .now()))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try configure(channel, target, answer)
                    }
                }
                .connect(to: socketAddress)
            connecting.cascadeFailure(to: answer)
            answer.futureResult.whenComplete { _ in connecting.whenSuccess { $0.close(promise: nil) } }
            return try await answer.futureResult.get()
        } catch {
            throw HTTP01Validator.Failure(
                .connection, "The host could not be reached, or did not answer in time.")
        }
    }

    private static func configure(
        _ channel: any Channel, _ target: ValidationTarget, _ answer: EventLoopPromise<Response>
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8_192
        limits.maxHeaderListSize = 16_384
        limits.maxHeaderFieldCount = 100
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTPRequestEncoder())
        try pipeline.addHandler(
            ByteToMessageHandler(
                HTTPResponseDecoder(
                    leftOverBytesStrategy: .dropBytes, informationalResponseStrategy: .drop,
                    limitConfiguration: limits)))
        try pipeline.addHandler(ResponseReader(target, answer))
    }
}

/// Sends the request when connected, keeps what is wanted of the response.
private final class ResponseReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let target: ValidationTarget
    private let answer: EventLoopPromise<HTTP01Exchange.Response>
    private var head: HTTPResponseHead?
    private var body: [UInt8] = []

    init(_ target: ValidationTarget, _ answer: EventLoopPromise<HTTP01Exchange.Response>) {
        self.target = target
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let host = target.port == 80 ? target.host : "\(target.host):\(target.port)"
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: target.resource,
            headers: ["host": host, "accept": "*/*", "user-agent": "gatehouse", "connection": "close"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let received):
            head = received
            if received.status != .ok { finish(received, body: []) }
        case .body(let buffer):
            guard let head else { return }
            guard buffer.readableBytes <= 512 - body.count else { return finish(head, body: nil) }
            body.append(contentsOf: buffer.readableBytesView)
        case .end:
            if let head { finish(head, body: body) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        answer.fail(ChannelError.eof)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    private func finish(_ head: HTTPResponseHead, body: [UInt8]?) {
        let locations = head.headers["location"]
        answer.succeed(
            HTTP01Exchange.Response(
                status: Int(head.status.code), location: locations.count == 1 ? locations.first : nil,
                body: body))
    }
}
