import ACME
import EnrollmentCore
import Foundation
import FrontEnd
import Listener
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// A web server that answers each path from a table.
private final class WebServer: ChannelInboundHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    struct Page: Sendable {
        var status = 200
        var location: String?
        var body = ""
        var isSilent = false
    }

    private let pages: @Sendable (String) -> Page
    init(_ pages: @escaping @Sendable (String) -> Page) { self.pages = pages }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        let page = pages(head.uri)
        if page.isSilent { return }
        var headers = HTTPHeaders([("content-length", String(page.body.utf8.count))])
        if let location = page.location { headers.add(name: "location", value: location) }
        let status = HTTPResponseStatus(statusCode: page.status)
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
            promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: page.body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    static func run<Result>(
        _ pages: @escaping @Sendable (String) -> Page, _ body: (Int) async throws -> Result
    ) async throws -> Result {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
                    try channel.pipeline.syncOperations.addHandler(WebServer(pages))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        let result = try await body(port)
        try await channel.close()
        return result
    }
}

struct HTTP01ValidatorTests {
    private static let path = "/.well-known/acme-challenge/tok"

    private func validate(
        name: String = "a.localhost", allowed: [String] = ["127.0.0.0/8"], timeLimit: Duration = .seconds(30),
        _ pages: @escaping @Sendable (String) -> WebServer.Page
    ) async throws -> DomainValidationResult {
        try await WebServer.run(pages) { port in
            let validator = HTTP01Validator(
                .init(
                    port: port, addresses: AddressPolicy(allowed: allowed.compactMap(IPNetwork.init)),
                    resolvesLocalhost: true))
            return await validator.validate(
                name: name, token: "tok", keyAuthorization: "tok.thumb", timeLimit: timeLimit)
        }
    }

    private func kind(_ result: DomainValidationResult) -> DomainValidationFailure? {
        switch result {
        case .valid: nil
        case .failed(let kind, let detail):
            detail.contains("SECRET") || detail.contains("thumb") ? .dns : kind
        }
    }

    @Test(arguments: ["tok.thumb", "tok.thumb\r\n", "tok.thumb \t\n\n"])
    func findsTheKeyAuthorization(_ body: String) async throws {
        let result = try await validate { $0 == Self.path ? .init(body: body) : .init(status: 404) }
        #expect(result == .valid)
    }

    @Test(arguments: [
        ("SECRET", 200, DomainValidationFailure.incorrectResponse), (" tok.thumb", 200, .incorrectResponse),
        ("tok.thumb\n" + String(repeating: "\n", count: 600), 200, .incorrectResponse),
        ("tok.thumb", 404, .unauthorized), ("tok.thumb", 500, .unauthorized), ("", 303, .unauthorized),
    ])
    func refusesOtherAnswers(_ body: String, _ status: Int, _ expected: DomainValidationFailure) async throws
    {
        let result = try await validate { _ in .init(status: status, body: body) }
        #expect(kind(result) == expected)
    }

    @Test(arguments: [301, 302, 307, 308])
    func followsRedirects(_ status: Int) async throws {
        let result = try await validate {
            $0 == Self.path
                ? .init(status: status, location: "/there") : .init(body: $0 == "/there" ? "tok.thumb" : "")
        }
        #expect(result == .valid)
    }

    @Test(arguments: [
        "https://a.localhost/", "http://a.localhost:1/", "http://u@a.localhost/", "ftp://a/", "",
        "http://169.254.169.254/", "http://10.0.0.1/",
    ])
    func followsNowhereElse(_ location: String) async throws {
        let result = try await validate { _ in .init(status: 302, location: location) }
        #expect(kind(result) == .connection)
    }

    @Test func endsInALoop() async throws {
        let result = try await validate { _ in .init(status: 302, location: "/again") }
        #expect(kind(result) == .connection)
    }

    /// The server stays silent for ever: that there is an answer at all is the deadline's work.
    @Test func keepsToItsDeadline() async throws {
        let result = try await validate(timeLimit: .milliseconds(300)) { _ in .init(isSilent: true) }
        #expect(kind(result) == .connection)
    }

    @Test func needsAnAddress() async throws {
        let result = try await validate(name: "nobody.invalid", timeLimit: .seconds(2)) { _ in .init() }
        #expect(kind(result) == .dns)
    }

    @Test func callsNoForbiddenAddress() async throws {
        let result = try await validate(allowed: []) { _ in .init(body: "tok.thumb") }
        #expect(kind(result) == .connection)
        let literal = try await validate(name: "127.0.0.1", allowed: []) { _ in .init(body: "tok.thumb") }
        #expect(kind(literal) == .connection)
    }
}
