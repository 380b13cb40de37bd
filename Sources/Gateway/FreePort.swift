import Glibc

/// Finds a TCP port that nothing on this computer listens on.
enum FreePort {
    /// `port` itself, or a free one on loopback for 0. Somebody else may take it before it is used, so this
    /// is for ports that other programs will listen on, not for our own listeners.
    static func resolve(_ port: Int) throws -> Int {
        guard port == 0 else { return port }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        // A `sockaddr_in` octet by octet: family, port 0, 127.0.0.1, padding.
        var address = withUnsafeBytes(of: sa_family_t(AF_INET)) { Array($0) } + [0, 0, 127, 0, 0, 1]
        address += [UInt8](repeating: 0, count: 8)
        var length = socklen_t(address.count)
        let isBound = address.withUnsafeMutableBytes { octets in
            guard let generic = octets.assumingMemoryBound(to: sockaddr.self).baseAddress else {
                return false
            }
            return bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
        }
        guard isBound else { throw StartupError("no free port was found", remedy: "name one") }
        return Int(address[2]) << 8 | Int(address[3])
    }
}
