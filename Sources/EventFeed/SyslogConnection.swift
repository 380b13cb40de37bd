import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// One TLS connection to a syslog receiver (RFC 5425) whose certificate was verified.
final class SyslogConnection: EventReceiver {
    /// How long connecting and each write may take.
    private static let patience = TimeAmount.seconds(15)

    private let channel: any Channel
    private let watcher: ConnectionWatcher

    private init(channel: any Channel, watcher: ConnectionWatcher) {
        self.channel = channel
        self.watcher = watcher
    }

    /// Connects. The handshake is over when the first `send` returns.
    ///
    /// - Throws: `FeedFailure` naming the receiver, also when a file of keys or trust anchors is unusable.
    static func open(_ receiver: SyslogReceiver) async throws(FeedFailure) -> SyslogConnection {
        let watcher = ConnectionWatcher()
        do {
            let context = try NIOSSLContext(configuration: configuration(of: receiver))
            // An IP address is no server name (RFC 6066 §3): it is looked for in the certificate instead.
            let isAddress = (try? SocketAddress(ipAddress: receiver.serverName, port: 0)) != nil
            let name = isAddress ? nil : receiver.serverName
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(patience)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            try NIOSSLClientHandler(context: context, serverHostname: name), watcher,
                        ])
                    }
                }
                .connect(host: receiver.host, port: receiver.port).get()
            return SyslogConnection(channel: channel, watcher: watcher)
        } catch {
            throw FeedFailure(
                description:
                    "\(receiver.host):\(receiver.port): \(watcher.fault ?? String(describing: error))")
        }
    }

    var isOpen: Bool { channel.isActive && watcher.fault == nil }

    func send(_ messages: [SyslogMessage]) async throws(FeedFailure) {
        var buffer = channel.allocator.buffer(capacity: messages.count * 1_024)
        for message in messages { buffer.writeBytes(message.frame) }
        let (channel, bytes) = (channel, buffer)
        let timer = channel.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        defer { timer.cancel() }
        do { try await channel.writeAndFlush(bytes) } catch {
            channel.close(promise: nil)
            throw FeedFailure(
                description: "the receiver does not take it: \(watcher.fault ?? String(describing: error))")
        }
    }

    func close() async { try? await channel.close() }

    private static func configuration(of receiver: SyslogReceiver) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        if let path = receiver.trustAnchors { configuration.trustRoots = .file(path) }
        if let path = receiver.clientIdentity {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path, format: .pem))
        }
        return configuration
    }
}

/// Keeps the first fault of a connection. What the receiver says is not listened to.
private final class ConnectionWatcher: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let first = Mutex<String?>(nil)

    var fault: String? { first.withLock { $0 } }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func channelInactive(context: ChannelHandlerContext) {
        keep("the receiver closed the connection")
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        keep(String(describing: error))
        context.close(promise: nil)
    }

    private func keep(_ fault: String) { first.withLock { $0 = $0 ?? fault } }
}
