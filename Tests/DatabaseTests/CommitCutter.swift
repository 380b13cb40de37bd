import Glibc
import Synchronization

/// Stands between client and server and, when told to, cuts the connection after the server has answered a
/// COMMIT and before the client hears of it.
final class CommitCutter: Sendable {
    /// libpq's `host` for clients.
    let directory: String
    private struct State {
        var isArmed = false
        var hasCut = false
    }
    private let state = Mutex(State())
    private let listening: Int32
    private let server: String

    init(server: String) throws {
        self.server = server + "/.s.PGSQL.5432"
        var template = Array("/tmp/gh-cut-XXXXXX".utf8CString)
        directory = mkdtemp(&template).map { String(cString: $0) } ?? ""
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        listening = made
        guard Self.withAddress(directory + "/.s.PGSQL.5432", { bind(made, $0, $1) }) == 0,
            listen(made, 8) == 0
        else { throw Failure() }
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<CommitCutter>.fromOpaque(argument).takeRetainedValue().serve() }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        pthread_detach(thread)
    }

    struct Failure: Error {}

    func cutNextCommit() { state.withLock { $0.isArmed = true } }
    var hasCut: Bool { state.withLock { $0.hasCut } }

    func close() {
        shutdown(listening, Int32(SHUT_RDWR))
        Glibc.close(listening)
        unlink(directory + "/.s.PGSQL.5432")
        rmdir(directory)
    }

    /// One client at a time: the writer has one connection.
    private func serve() {
        while true {
            let client = accept(listening, nil, nil)
            guard client >= 0 else { return }
            let upstream = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            if Self.withAddress(server, { connect(upstream, $0, $1) }) == 0 { relay(client, upstream) }
            Glibc.close(client)
            Glibc.close(upstream)
        }
    }

    private func relay(_ client: Int32, _ upstream: Int32) {
        var cutting = false
        while true {
            var both = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&both, 2, 5_000) > 0 else { return }
            if both[0].revents != 0 {
                guard let data = Self.receive(client) else { return }
                if data.contains("COMMIT\0"), state.withLock({ $0.isArmed }) { cutting = true }
                guard Self.send(data, to: upstream) else { return }
            }
            if both[1].revents != 0 {
                guard let data = Self.receive(upstream) else { return }
                if cutting {
                    state.withLock { $0 = State(isArmed: false, hasCut: true) }
                    return
                }
                guard Self.send(data, to: client) else { return }
            }
        }
    }

    private struct Chunk {
        let bytes: [UInt8]
        func contains(_ text: String) -> Bool { String(decoding: bytes, as: UTF8.self).contains(text) }
    }

    private static func receive(_ descriptor: Int32) -> Chunk? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Chunk(bytes: Array(buffer.prefix(count))) : nil
    }

    private static func send(_ chunk: Chunk, to descriptor: Int32) -> Bool {
        Glibc.send(descriptor, chunk.bytes, chunk.bytes.count, Int32(MSG_NOSIGNAL)) == chunk.bytes.count
    }

    private static func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
