import Glibc

/// What takes events. One delivery uses it at a time.
protocol EventReceiver: Sendable {
    /// False once nothing sent can be relied upon any more.
    var isOpen: Bool { get }

    /// Hands messages over; returns when the operating system has taken all of them.
    func send(_ messages: [SyslogMessage]) async throws(FeedFailure)

    func close() async
}

/// A file that the content of each message is appended to as a line, in a folder that is made if need be.
/// Opened anew for each batch, so that it may be moved away at any time.
struct FeedFile: EventReceiver {
    let path: String

    var isOpen: Bool { true }

    func close() async {}

    func send(_ messages: [SyslogMessage]) async throws(FeedFailure) {
        if let slash = path.lastIndex(of: "/"), mkdir(String(path[..<slash]), 0o700) != 0, errno != EEXIST {
            throw failure("opened")
        }
        let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw failure("opened") }
        defer { Glibc.close(descriptor) }
        var octets = Array(messages.map { $0.content + "\n" }.joined().utf8)[...]
        if !endsLine(descriptor) { octets = [UInt8(ascii: "\n")] + octets }
        while !octets.isEmpty {
            let count = octets.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("written")
            }
            octets = octets.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw failure("written") }
    }

    /// Whether the file is empty or its last line is whole; an earlier write may have been cut short.
    private func endsLine(_ descriptor: Int32) -> Bool {
        let end = lseek(descriptor, 0, SEEK_END)
        var last: UInt8 = 0
        guard end > 0, pread(descriptor, &last, 1, end - 1) == 1 else { return true }
        return last == UInt8(ascii: "\n")
    }

    private func failure(_ act: String) -> FeedFailure {
        FeedFailure(description: "\(path) cannot be \(act): \(String(cString: strerror(errno)))")
    }
}
