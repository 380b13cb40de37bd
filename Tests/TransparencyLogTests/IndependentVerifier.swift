import Foundation
import Testing

/// Programs of Tests/Clients that judge the log without its code. A test that needs one fails when go, Python
/// or openssl is missing.
enum IndependentVerifier {
    struct Missing: Error, CustomStringConvertible {
        let command: String
        var description: String {
            "no \(command) in GATEHOUSE_TOOLS or PATH; run scripts/install-system-packages test"
        }
    }

    struct Result {
        let status: Int32
        let output: String
        let complaint: String
    }

    private static let clients = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Clients").resolvingSymlinksInPath()

    static func python(_ arguments: [String]) throws -> Result {
        try run("python3", [clients.appending(path: "log_verify.py").path] + arguments)
    }

    /// proofbundle, of which nothing is ours.
    static func proofbundle(_ arguments: [String]) throws -> Result {
        try run("python3", [clients.appending(path: "foreign_proof.py").path] + arguments)
    }

    /// `go run`, which keeps what it compiled for the next time.
    static func go(_ arguments: [String], input: String = "") throws -> Result {
        let environment = [
            "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
            "GOCACHE": FileManager.default.temporaryDirectory.appending(path: "gatehouse-go-build").path,
        ]
        let program = clients.appending(path: "logcheck/main.go").path
        return try run("go", ["run", program] + arguments, input: input, environment: environment)
    }

    private static func run(
        _ command: String, _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Result {
        let process = Process()
        process.executableURL = try executable(command)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (standardInput, output, complaint) = (Pipe(), Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = complaint
        try process.run()
        // A few lines each way, which fit the pipes' buffers.
        try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try standardInput.fileHandleForWriting.close()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        let complained = complaint.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: String(decoding: said, as: UTF8.self),
            complaint: String(decoding: complained, as: UTF8.self))
    }

    private static func executable(_ command: String) throws -> URL {
        let environment = ProcessInfo.processInfo.environment
        let folders =
            [environment["GATEHOUSE_TOOLS"] ?? ""]
            + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
        for folder in folders where !folder.isEmpty {
            let url = URL(filePath: folder).appending(path: command)
            if FileManager.default.isExecutableFile(atPath: url.path) { return url }
        }
        throw Missing(command: command)
    }
}
