import Foundation

/// Judges events by the published schemas, with programs that others wrote (scripts/test-tools.txt).
enum FormatJudge {
    /// What Tests/Clients/event_formats.py says of lines, each a format's name and an event.
    static func verdict(on lines: [String]) throws -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let judge = tests.appendingPathComponent("Clients/event_formats.py")
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(
            "formats-\(UUID().uuidString)")
        try lines.map { $0 + "\n" }.joined().write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", judge.path, file.path]
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return said
    }
}
