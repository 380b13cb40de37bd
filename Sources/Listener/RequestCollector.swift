import EnrollmentCore
import FrontEnd
import NIOCore
import NIOHTTP1
import NIOSSL

/// Turns the parts of HTTP/1 requests into whole `FrontEndRequest`s and writes the answers.
///
/// One per connection. It bounds the time and the size of each request, answers `Expect: 100-continue`, and
/// decides whether the connection stays open. `HTTPServerPipelineHandler` before it hands over one request at
/// a time.
final class RequestCollector: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = FrontEndRequest
    typealias OutboundIn = FrontEndResponse
    typealias OutboundOut = HTTPServerResponsePart

    /// What every connection of a listener shares.
    struct Settings: Sendable {
        let limits: ListenerLimits
        /// The largest body that the route of a path takes.
        let bodyLimit: @Sendable (_ path: String) -> Int
        /// Hears of requests that the listener answered by itself.
        let onRejected: @Sendable (UnacceptableHead) -> Void
        let clock: any WallClock
        let random: any RandomSource
    }

    private enum State {
        case awaitingHead
        case collecting(RequestHead, id: RequestID, at: Timestamp, body: [UInt8], limit: Int)
        /// The front-end has the request; `isWhole` is false when the rest of its body is not wanted.
        case answering(RequestHead, isWhole: Bool)
        case closing
    }

    private let settings: Settings
    private var state = State.awaitingHead
    private var deadline: Scheduled<Void>?
    private var suppressedRead = false
    private var peer: Peer?

    init(_ settings: Settings) { self.settings = settings }

    func channelActive(context: ChannelHandlerContext) {
        setDeadline(settings.limits.firstHeadTimeout, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): receive(head, context)
        case .body(let buffer): receive(buffer, context)
        case .end: receiveEnd(context)
        }
    }

    /// Nothing is read while a request that is too large is being answered.
    func read(context: ChannelHandlerContext) {
        if case .answering(_, isWhole: false) = state { suppressedRead = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .closing = state, let event = event as? ChannelEvent, event == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .awaitingHead where error is HTTPParserError, .collecting where error is HTTPParserError:
            reject(.malformed, context)
        case .awaitingHead, .collecting, .answering, .closing:
            context.close(promise: nil)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .answering(let head, let isWhole) = state else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let response = unwrapOutboundIn(data)
        send(response, keepsAlive: head.keepsAlive && isWhole, answering: head, context, promise)
    }
}

// Receiving.
extension RequestCollector {
    private func receive(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard case .awaitingHead = state else { return }
        let parsed: RequestHead
        do throws(UnacceptableHead) { parsed = try RequestHead(head) } catch { return reject(error, context) }
        let now = settings.clock.now()
        let id = RequestID(at: now, random: settings.random.octets(10))
        let limit = settings.bodyLimit(parsed.path)
        state = .collecting(parsed, id: id, at: now, body: [], limit: limit)
        setDeadline(settings.limits.bodyTimeout, context)
        if let length = parsed.contentLength, length > limit {
            return deliver(parsed, id, now, .tooLarge(limit: limit), context)
        }
        if parsed.expectsContinue {
            let interim = HTTPResponseHead(version: .http1_1, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(interim)), promise: nil)
        }
    }

    private func receive(_ buffer: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .collecting(let head, let id, let time, var body, let limit) = state else { return }
        state = .closing  // releases the body, so that appending does not copy it
        guard body.count <= limit, buffer.readableBytes <= limit - body.count else {
            return deliver(head, id, time, .tooLarge(limit: limit), context)
        }
        body.append(contentsOf: buffer.readableBytesView)
        state = .collecting(head, id: id, at: time, body: body, limit: limit)
    }

    private func receiveEnd(_ context: ChannelHandlerContext) {
        guard case .collecting(let head, let id, let time, let body, _) = state else { return }
        deliver(head, id, time, .complete(body), context)
    }

    private func deliver(
        _ head: RequestHead, _ id: RequestID, _ time: Timestamp, _ body: FrontEndRequest.Body,
        _ context: ChannelHandlerContext
    ) {
        deadline?.cancel()
        switch body {
        case .complete: state = .answering(head, isWhole: true)
        case .tooLarge: state = .answering(head, isWhole: false)
        }
        let request = FrontEndRequest(
            id: id, receivedAt: time, method: head.method, path: head.path, query: head.query,
            headers: head.headers, body: body, peer: peer(context))
        context.fireChannelRead(wrapInboundOut(request))
        context.fireChannelReadComplete()
    }

    /// Read from the TLS session once per connection; the handshake has ended when a head arrives.
    private func peer(_ context: ChannelHandlerContext) -> Peer {
        if let peer { return peer }
        let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
        let found = Peer(
            address: context.remoteAddress?.ipAddress ?? "", isSecure: tls != nil,
            clientCertificate: try? tls?.peerCertificate?.toDERBytes())
        peer = found
        return found
    }
}

// Answering.
extension RequestCollector {
    /// Answers in the listener's own name and closes.
    private func reject(_ cause: UnacceptableHead, _ context: ChannelHandlerContext) {
        settings.onRejected(cause)
        state = .closing
        send(FrontEndResponse(status: Int(cause.rawValue)), keepsAlive: false, answering: nil, context, nil)
        context.flush()
    }

    private func send(
        _ response: FrontEndResponse, keepsAlive: Bool, answering head: RequestHead?,
        _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) {
        var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
        headers.replaceOrAdd(name: "content-length", value: String(response.body.count))
        headers.replaceOrAdd(name: "date", value: HTTPDate.text(settings.clock.now()))
        if !keepsAlive {
            headers.replaceOrAdd(name: "connection", value: "close")
        } else if head?.isOldVersion == true {
            headers.replaceOrAdd(name: "connection", value: "keep-alive")
        }
        let status = HTTPResponseStatus(statusCode: response.status)
        // INVARIANT: the state is set before the end is written, because writing it may deliver the next
        // request.
        state = keepsAlive ? .awaitingHead : .closing
        setDeadline(settings.limits.idleTimeout, context)
        let start = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
        context.write(wrapOutboundOut(.head(start)), promise: nil)
        if head?.method != "HEAD", !response.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: response.body)))), promise: nil)
        }
        if keepsAlive { return context.write(wrapOutboundOut(.end(nil)), promise: promise) }
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = context.loopBound
        written.futureResult.assumeIsolated().whenComplete { _ in self.linger(bound.value) }
        if let promise { written.futureResult.cascade(to: promise) }
        context.write(wrapOutboundOut(.end(nil)), promise: written)
    }

    /// Ends our side and drops what still arrives for a moment: closing at once would reset the connection,
    /// and the client might lose the answer.
    private func linger(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        setDeadline(.seconds(1), context)
        context.close(mode: .output, promise: nil)
        if suppressedRead { context.read() }
    }

    private func setDeadline(_ span: Duration, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        let bound = context.loopBound
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(span)) {
            self.deadlinePassed(bound.value)
        }
    }

    private func deadlinePassed(_ context: ChannelHandlerContext) {
        if case .collecting = state { reject(.timeout, context) } else { context.close(promise: nil) }
    }
}
