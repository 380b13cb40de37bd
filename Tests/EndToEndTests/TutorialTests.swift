import Foundation
import Testing

/// The guides, followed to the letter.
@Suite struct TutorialTests {
    /// docs/policy.md from an empty directory to a change in force, beside a running gate.
    @Test func policyGuide() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let folder = try gate.folder("guide")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file(".gatehouse"), withDestinationPath: gate.state)
        let programs = try gate.folder("programs")
        try FileManager.default.createSymbolicLink(
            atPath: programs.file("gatehouse"), withDestinationPath: Gate.binary)
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent().resolvingSymlinksInPath()
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let done = try Tool.run(
            "python3",
            [
                here.appendingPathComponent("../Clients/tutorial.py").standardizedFileURL.path,
                here.appendingPathComponent("../../docs/policy.md").standardizedFileURL.path, folder.path,
            ], in: folder,
            environment: [
                "PATH": "\(programs.path):\(path)", "EST": try gate.endpoints.tls, "HOME": folder.path,
                "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "Guide",
                "GIT_AUTHOR_EMAIL": "guide@localhost",
                "GIT_COMMITTER_NAME": "Guide", "GIT_COMMITTER_EMAIL": "guide@localhost",
            ], within: 120)
        #expect(done.status == 0, "\(done.output)\n\(done.messages)")
    }
}
