import Foundation
import PKIX
import Testing

/// The `openssl` command as an independent judge. Looked up in `GATEHOUSE_TOOLS`, then in `PATH`; a test that
/// needs it fails when it is missing.
enum OpenSSLCommand {
    struct Missing: Error, CustomStringConvertible {
        let description = "no openssl command in GATEHOUSE_TOOLS or PATH; install openssl"
    }

    /// Verifies a leaf strictly up to `root`; returns what openssl had to say when it fails, nil when it is
    /// fine.
    static func complaint(
        leaf: [UInt8], intermediates: [[UInt8]], root: [UInt8], at seconds: Int64, purpose: String? = nil
    ) throws -> String? {
        let folder = FileManager.default.temporaryDirectory.appending(path: "gatehouse-issuance-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func file(_ name: String, _ certificates: [[UInt8]]) throws -> String {
            let text = certificates.map { PEM.encode(label: "CERTIFICATE", der: $0) }.joined()
            let url = folder.appending(path: name)
            try Data(text.utf8).write(to: url)
            return url.path
        }
        var arguments = [
            "verify", "-x509_strict", "-check_ss_sig", "-no-CApath", "-no-CAstore", "-attime",
            String(seconds),
            "-CAfile", try file("root.pem", [root]),
        ]
        if !intermediates.isEmpty { arguments += ["-untrusted", try file("chain.pem", intermediates)] }
        if let purpose { arguments += ["-purpose", purpose] }
        let result = try run(arguments + [try file("leaf.pem", [leaf])])
        return result.status == 0 ? nil : result.output
    }

    static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = try executable()
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private static func executable() throws -> URL {
        let environment = ProcessInfo.processInfo.environment
        let folders =
            [environment["GATEHOUSE_TOOLS"] ?? ""]
            + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for folder in folders where !folder.isEmpty {
            let url = URL(filePath: folder).appending(path: "openssl")
            if FileManager.default.isExecutableFile(atPath: url.path) { return url }
        }
        throw Missing()
    }
}
