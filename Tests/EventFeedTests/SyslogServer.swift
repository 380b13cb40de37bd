import Foundation
import Glibc

/// rsyslog with a TLS listener on loopback, writing what it received to a file.
final class SyslogServer {
    struct Failure: Error { let description: String }

    let port: Int
    let output: URL
    let trustAnchors: String
    private let folder: URL
    private var process: Process?

    /// - Parameter name: what its certificate is for.
    init(in folder: URL, name: String) throws {
        self.folder = folder
        output = folder.appendingPathComponent("received")
        trustAnchors = folder.appendingPathComponent("ca.pem").path
        port = try Self.freePort()
        let days = ["-days", "2", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        try Self.openssl(
            ["req", "-x509", "-subj", "/CN=test CA", "-keyout", path("ca.key"), "-out", trustAnchors] + days)
        try Self.openssl(
            [
                "req", "-x509", "-subj", "/CN=receiver", "-CA", trustAnchors, "-CAkey", path("ca.key"),
                "-addext", "subjectAltName=DNS:\(name)", "-addext", "basicConstraints=critical,CA:FALSE",
                "-keyout", path("server.key"), "-out", path("server.pem"),
            ] + days)
        try """
        global(workDirectory="\(folder.path)" maxMessageSize="16k" defaultNetstreamDriver="gtls"
               defaultNetstreamDriverCAFile="\(trustAnchors)"
               defaultNetstreamDriverCertFile="\(path("server.pem"))"
               defaultNetstreamDriverKeyFile="\(path("server.key"))")
        module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")
        input(type="imtcp" address="127.0.0.1" port="\(port)")
        template(name="all" type="string"
                 string="%pri% %protocol-version% %hostname% %app-name% %msgid% %msg%\\n")
        action(type="omfile" file="\(output.path)" template="all")
        """.write(toFile: path("rsyslog.conf"), atomically: true, encoding: .utf8)
    }

    deinit { kill() }

    func start() throws {
        let server = Process()
        server.executableURL = URL(fileURLWithPath: "/usr/sbin/rsyslogd")
        server.arguments = ["-n", "-f", path("rsyslog.conf"), "-i", path("pid")]
        server.standardOutput = FileHandle.nullDevice
        server.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try server.run()
        process = server
    }

    /// Ends it without warning.
    func kill() {
        guard let server = process else { return }
        Glibc.kill(server.processIdentifier, SIGKILL)
        server.waitUntilExit()
        process = nil
        try? FileManager.default.removeItem(atPath: path("pid"))
    }

    private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private static func openssl(_ arguments: [String]) throws {
        let program = Process()
        program.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        program.arguments = arguments
        program.standardError = FileHandle.nullDevice
        try program.run()
        program.waitUntilExit()
        guard program.terminationStatus == 0 else { throw Failure(description: "openssl") }
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
            }
        }
        guard status == 0 else { throw Failure(description: "no port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
