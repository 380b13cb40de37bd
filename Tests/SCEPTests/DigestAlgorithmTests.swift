import EnrollmentCore
import EnrollmentTesting
import FrontEnd
import Glibc
import OpenSSLCrypto
import Testing

/// The list of digest algorithms in a SignedData is not signed, and a CMS library hashes the whole content
/// once for each of its members: it is the cheapest way to keep a gateway busy.
@Suite struct DigestAlgorithmTests {
    /// A message that would be refused for its signature, after all the hashing.
    private static func message(_ algorithms: [[UInt8]], content: Int = 200_000) throws -> [UInt8] {
        let filled = SCEPDevice.Message().with { $0.envelope = [UInt8](repeating: 7, count: content) }
        var message = try SCEPDevice.device().write(filled, content: [])
        message[message.count - 1] ^= 1
        return try SignedDataShape(message).listing(algorithms)
    }

    private static let sha512 = element(
        0x30, element(0x06, [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03]))
    /// Each with an identifier of its own, which no library knows.
    private static let unknown = (0..<1_800).map { number in
        element(0x30, element(0x06, [0x2a, 0x03, 0x81, UInt8(0x80 | number >> 7), UInt8(number & 0x7f)]))
    }

    static let long: [(name: String, algorithms: [[UInt8]], place: String)] = [
        ("a few too many", [[UInt8]](repeating: sha512, count: 10), "too many digest algorithms"),
        ("a thousand of one", [[UInt8]](repeating: sha512, count: 1_300), "too many digest algorithms"),
        ("thousands of different ones", unknown, "too many digest algorithms"),
        (
            "more elements than any message may have", [[UInt8]](repeating: sha512, count: 4_000),
            "not one BER element"
        ),
    ]

    @Test("a long list is refused before anything is hashed", arguments: long)
    func refused(_ name: String, _ algorithms: [[UInt8]], _ place: String) async throws {
        let message = try Self.message(algorithms)
        // Hashing for a thousand takes a second.
        let (failure, taken) = try Self.failure(of: message)
        #expect(failure == place)
        #expect(taken < .milliseconds(100), "\(name)")

        let bench = try SCEPBench()
        #expect(await bench.post(message).status == 400)
        let refusals = bench.registrar.record.refusals
        #expect(refusals.map(\.reasonCode) == ["scep.malformed"])
        #expect(refusals.map(\.kind) == [.malformed])
    }

    /// Where a message cannot be read, and the processor time of this thread that finding out took.
    private static func failure(of message: [UInt8]) throws -> (String?, Duration) {
        let started = try threadTime()
        var place: String?
        do throws(SignedMessage.Failure) {
            _ = try SignedMessage(message, reading: [SCEPDevice.messageType])
        } catch {
            if case .unreadable(let text) = error { place = text }
        }
        return (place, try threadTime() - started)
    }

    private static func threadTime() throws -> Duration {
        var time = timespec()
        try #require(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// The bound is on octets, so the longest list that passes is known: nine without parameters.
    @Test func aShortListIsRead() async throws {
        let bench = try SCEPBench()
        let message = try Self.message([[UInt8]](repeating: Self.sha512, count: 8) + [Self.sha256])
        let reply = try SCEPDevice.device().read(await bench.post(message))
        #expect(reply.failInfo == "1")
        #expect(bench.registrar.record.refusals.map(\.reasonCode) == ["scep.signature"])
    }

    private static let sha256 = element(
        0x30, element(0x06, [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01]))

    @Test func aListWithoutAnEndIsRefused() async throws {
        let bench = try SCEPBench()
        let shape = try SignedDataShape(SCEPVectors.octets("weak.sha1.der"))
        let endless = shape.with(digestAlgorithms: [0x31, 0x80] + Self.sha256 + [0x00, 0x00])
        #expect(await bench.post(endless).status == 400)
        #expect(bench.registrar.record.refusals.map(\.reasonCode) == ["scep.malformed"])
    }
}

/// A SignedData cut around its digestAlgorithms (RFC 5652 §5.1).
private struct SignedDataShape {
    private let contentType: [UInt8]
    private let version: [UInt8]
    private let rest: [UInt8]

    init(_ message: [UInt8]) throws {
        let contentInfo = try Self.elements(in: message)[0].content
        let outer = try Self.elements(in: contentInfo)
        let signedData = try Self.elements(in: outer[1].content)[0].content
        let fields = try Self.elements(in: signedData)
        (contentType, version) = (outer[0].whole, fields[0].whole)
        rest = fields.dropFirst(2).flatMap(\.whole)
    }

    func listing(_ algorithms: [[UInt8]]) -> [UInt8] {
        with(digestAlgorithms: element(0x31, algorithms.flatMap { $0 }))
    }

    func with(digestAlgorithms: [UInt8]) -> [UInt8] {
        element(0x30, contentType + element(0xa0, element(0x30, version + digestAlgorithms + rest)))
    }

    /// The elements in DER octets, one after the other.
    private static func elements(in octets: [UInt8]) throws -> [(whole: [UInt8], content: [UInt8])] {
        var found: [(whole: [UInt8], content: [UInt8])] = []
        var rest = octets[...]
        while rest.count >= 2 {
            let first = Int(rest[rest.startIndex + 1])
            let count = first < 0x80 ? 0 : first & 0x7f
            let header = rest.prefix(2 + count)
            let length = count == 0 ? first : header.dropFirst(2).reduce(0) { $0 << 8 | Int($1) }
            let whole = Array(rest.prefix(header.count + length))
            try #require(first != 0x80 && whole.count == header.count + length)
            found.append((whole, Array(whole.dropFirst(header.count))))
            rest = rest.dropFirst(whole.count)
        }
        return found
    }
}

/// DER of one element.
private func element(_ identifier: UInt8, _ content: [UInt8]) -> [UInt8] {
    let size = content.count
    switch size {
    case ..<0x80: return [identifier, UInt8(size)] + content
    case ..<0x1_0000: return [identifier, 0x82, UInt8(size >> 8), UInt8(size & 0xff)] + content
    default:
        return [identifier, 0x83, UInt8(size >> 16), UInt8(size >> 8 & 0xff), UInt8(size & 0xff)] + content
    }
}
