import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// Looks up the addresses of names on threads of its own, since the system's resolver blocks.
final class NameResolver: Sendable {
    /// Names under `.localhost` mean 127.0.0.1 without a look-up (RFC 6761 §6.3).
    private let resolvesLocalhost: Bool
    private let threads = NIOThreadPool(numberOfThreads: 8)

    init(resolvesLocalhost: Bool) {
        self.resolvesLocalhost = resolvesLocalhost
        threads.start()
    }

    deinit { threads.shutdownGracefully { _ in } }

    /// Every address of `name`, version 4 first; empty when there is none or `deadline` passes.
    func addresses(of name: String, on eventLoop: any EventLoop, by deadline: NIODeadline) async
        -> [IPAddress]
    {
        if let literal = IPAddress(name) { return [literal] }
        if resolvesLocalhost, name == "localhost" || name.hasSuffix(".localhost") {
            return IPAddress("127.0.0.1").map { [$0] } ?? []
        }
        let answer = eventLoop.makePromise(of: [IPAddress].self)
        let timer = eventLoop.scheduleTask(deadline: deadline) { answer.succeed([]) }
        threads.runIfActive(eventLoop: eventLoop) { NameResolver.lookUp(name) }.cascade(to: answer)
        let found = try? await answer.futureResult.get()
        timer.cancel()
        return found ?? []
    }

    private static func lookUp(_ name: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // The final dot keeps search domains out.
        guard getaddrinfo(name.hasSuffix(".") ? name : name + ".", nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var entry = list
        while let current = entry {
            if let address = address(of: current.pointee), !found.contains(address) { found.append(address) }
            entry = current.pointee.ai_next
        }
        return found.filter { $0.octets.count == 4 } + found.filter { $0.octets.count == 16 }
    }

    /// By way of the text form: the fields of socket addresses belong to whichever module happened to be
    /// imported first.
    private static func address(of entry: addrinfo) -> IPAddress? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard
            getnameinfo(
                entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        else { return nil }
        return IPAddress(
            String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
}
