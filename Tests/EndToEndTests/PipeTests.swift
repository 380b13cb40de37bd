import Foundation
import Glibc
import Testing

/// What scripts do with the command line's output: they stop reading, and they parse it.
@Suite struct PipeTests {
    private let gate: Gate
    private let folder: Folder

    init() throws {
        gate = try Gate.shared()
        folder = try gate.folder("pipes")
    }

    /// Runs a shell script in which `$0` is the program and `$1` the starter bundle.
    private func shell(_ script: String) throws -> Finished {
        try Tool.run("/bin/bash", ["-c", script, Gate.binary, Gate.starterBundle], in: folder)
    }

    /// A reader that has seen enough ends a command without a word.
    @Test(arguments: [
        "policy render", "policy render --format text", "policy test --output json",
        "policy test --output csv", "policy owners", "policy schema policy-v1", "completion bash",
    ])
    func closedPipesEndACommandQuietly(command: String) throws {
        let bundle = ["schema", "completion"].contains { command.contains($0) } ? "" : "\"$1\""
        // The pipe is closed before anything is written to it, not by chance after.
        let done = try shell(
            """
            mkfifo pipe-$$ && exec 9<> pipe-$$ 8> pipe-$$ 9>&-
            "$0" \(command) \(bundle) >&8; echo "status $?"
            """)
        #expect(done.output == "status 141\n", "\(done)")
        #expect(!["Fatal", "backtrace", "gatehouse:"].contains { done.messages.contains($0) }, "\(done)")
    }

    @Test func messagesThatNobodyReadsChangeNothing() throws {
        let done = try shell(
            """
            mkfifo pipe-$$ && exec 9<> pipe-$$ 8> pipe-$$ 9>&-
            "$0" policy test "$1" 2>&8 > /dev/null; echo "status $?"
            """)
        #expect(done.output == "status 0\n", "\(done)")
    }

    @Test func whatCannotBeWrittenIsSaid() throws {
        let done = try shell("\"$0\" policy render \"$1\" > /dev/full")
        #expect(done.status == 5 && done.messages.contains("standard output cannot be written"), "\(done)")
    }

    /// A program that reads JSON gets JSON, above all when something is wrong.
    @Test(arguments: ["test", "owners"])
    func faultsAreDataToo(verb: String) throws {
        let bundle = folder.fresh("broken")
        try FileManager.default.copyItem(atPath: Gate.starterBundle, toPath: bundle)
        let rule = "\(bundle)/rules/corp-laptop-client-auth.yaml"
        try String(decoding: Data.contents(rule), as: UTF8.self)
            .replacingOccurrences(of: "effect: permit", with: "effect: perhaps")
            .write(toFile: rule, atomically: false, encoding: .utf8)
        struct Fault: Decodable {
            let file: String, line: Int, column: Int, message: String, remedy: String?
        }
        let done = try gate.command(["policy", verb, bundle, "--output", "json"], withState: false)
        #expect(done.status == 3 && done.messages.contains("does not load"), "\(done)")
        let faults = try JSONDecoder().decode([Fault].self, from: done.data)
        let first = try #require(faults.first { $0.message.contains("perhaps") })
        #expect(first.file == "rules/corp-laptop-client-auth.yaml" && first.line > 0 && first.column > 0)
        let table = try gate.command(["policy", verb, bundle], withState: false)
        #expect(table.status == 3 && table.output.isEmpty, "\(table)")
    }

    /// What a shell loop reads from CSV ends in a carriage return; what a message quotes shows it.
    @Test func carriageReturnsDoNotHide() throws {
        let id = "0192f0c4-7b6e-7c3a-9d1e-2f4b6a8c0e12"
        #expect(try gate.command(["request", "why", id + "\r"]).status == 4)
        let quoted = try gate.command(["request", "why", "x\u{1b}[2J\r"])
        #expect(quoted.status == 2 && quoted.messages.contains("x\\u{1b}[2J\\r"), "\(quoted)")
    }

    /// Of a request written by hand that names no instant, it is now.
    @Test func requestsWrittenByHandAreJudgedNow() throws {
        let file = try folder.write("service: laptops\ndevice: { id: LT-042 }\n", to: "intent.yaml")
        let done = try gate.command(["policy", "explain", Gate.starterBundle, "-f", file], withState: false)
        let text = try #require(done.output.split(separator: ",").first?.dropFirst("At ".count))
        let at = try #require(try? Date(String(text), strategy: .iso8601), "\(done)")
        #expect(abs(at.timeIntervalSinceNow) < 60, "\(done)")
    }

    /// Nothing to compare with is no proof that nothing changes.
    @Test func nothingComparedIsNoSuccess() throws {
        let file = try folder.write("", to: "empty.jsonl")
        let simulate = ["policy", "simulate", "--candidate", Gate.starterBundle, "--from", file]
        let plain = try gate.command(simulate, withState: false)
        #expect(plain.status == 0 && plain.output.contains("nothing was compared"), "\(plain)")
        #expect(try gate.command(simulate + ["--fail-on", "widen"], withState: false).status == 1)
    }
}
