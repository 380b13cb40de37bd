import Glibc

/// Finds a TCP port that nothing on this computer listens on.
enum FreePort {
    /// `port` itself, or a free one on loopback for 0. Somebody else may take it before it is used, so this
    /// is for ports that other programs will listen on, not for our own listeners.
    static func resolve(_ port: Int) throws -> Int {
        guard port == 0 else { return port }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let found = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard found else { throw StartupError("no free port was found", remedy: "name one") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
