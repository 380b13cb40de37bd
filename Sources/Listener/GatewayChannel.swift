import EnrollmentCore
import FrontEnd
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL

/// One connection's pipeline: TLS where there is a context, HTTP/1, whole requests.
struct GatewayChannel: ServerChildChannel {
    typealias Value = NIOAsyncChannel<FrontEndRequest, FrontEndResponse>

    let tls: NIOSSLContext?
    let settings: RequestCollector.Settings
    let respond: @Sendable (FrontEndRequest) async -> FrontEndResponse

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let tls {
                // Any certificate passes: the handshake proves possession of its key, verifiers judge the
                // rest.
                try pipeline.addHandler(
                    NIOSSLServerHandler(
                        context: tls,
                        customVerificationCallback: { _, promise in promise.succeed(.certificateVerified) },
                        configuration: .init()))
            }
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = settings.limits.headerFieldSize
            limits.maxHeaderListSize = settings.limits.headerSize
            limits.maxHeaderFieldCount = settings.limits.headerCount
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: true,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(RequestCollector(settings))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel,
                configuration: .init(isOutboundHalfClosureEnabled: false))
        }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            try await value.executeThenClose { inbound, outbound in
                for try await request in inbound { try await outbound.write(await respond(request)) }
            }
        } catch {
            logger.trace("connection ended", metadata: ["error": "\(error)"])
        }
    }
}
