import Foundation
import Glibc

/// What a test could not get going.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A program that runs, with its output in files.
///
/// By `posix_spawn`: Foundation's `Process` waits until every descendant has closed what it inherited, which
/// a daemon never does. The child gets a process group of its own and no descriptor of ours.
final class Program: Sendable {
    let name: String
    let process: pid_t
    let outputFile: String
    let messagesFile: String

    /// - Parameters:
    ///   - path: absolute.
    ///   - environment: the whole of it.
    ///   - prefix: of the files that take standard output and standard error.
    init(
        _ path: String, _ arguments: [String], environment: [String: String], directory: String,
        input: String = "/dev/null", outputPrefix prefix: String
    ) throws {
        name = URL(fileURLWithPath: path).lastPathComponent
        outputFile = prefix + ".out"
        messagesFile = prefix + ".err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, messagesFile, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        for descriptor in Int32(3)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        var nothing = sigset_t()
        sigemptyset(&nothing)
        posix_spawnattr_setsigmask(&attributes, &nothing)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        let settings = environment.map { "\($0.key)=\($0.value)" }
        // The shell goes to the directory and becomes the program.
        let shell = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", directory, path]
        let argumentPointers = (shell + arguments).map { (text: String) in strdup(text) } + [nil]
        let settingPointers = settings.map { (text: String) in strdup(text) } + [nil]
        defer { for pointer in argumentPointers + settingPointers { free(pointer) } }
        var child = pid_t()
        let failure = posix_spawn(&child, "/bin/sh", &actions, &attributes, argumentPointers, settingPointers)
        guard failure == 0 else { throw Trouble("cannot run \(path): \(String(cString: strerror(failure)))") }
        process = child
    }

    /// Waits for its end, at most so many seconds; returns the exit code (128 and the number of a signal that
    /// ended it), nil when it still runs. Asked once more after its end it has forgotten: keep the answer.
    func wait(within seconds: Double) -> Int32? {
        let deadline = Instant.now.advanced(by: .seconds(seconds))
        repeat {
            var status: Int32 = 0
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f) }
            if ended < 0, errno != EINTR { return -1 }
            usleep(5_000)
        } while Instant.now < deadline
        return nil
    }

    /// Waits for its end and returns what it said; ends it and throws when it takes too long.
    func finish(within seconds: Double) throws -> Finished {
        guard let status = wait(within: seconds) else {
            killpg(process, SIGKILL)
            _ = wait(within: 5)
            throw Trouble("\(name) was not done in \(seconds) s: \(messages.suffix(1_000))")
        }
        return Finished(status: status, data: Data.contents(outputFile), messages: messages)
    }

    func signal(_ number: Int32) { Glibc.kill(process, number) }

    var messages: String { String(decoding: Data.contents(messagesFile), as: UTF8.self) }

    typealias Instant = ContinuousClock.Instant
}

/// A program that has ended.
struct Finished: CustomStringConvertible {
    /// Exit code, or 128 and the number of the signal that ended it.
    let status: Int32
    /// Standard output.
    let data: Data
    /// Standard error.
    let messages: String

    /// Standard output as text.
    var output: String { String(decoding: data, as: UTF8.self) }

    var description: String { "exit \(status)\n\(output.suffix(2_000))\n\(messages.suffix(2_000))" }
}

/// The programs that judge and enrol, from `GATEHOUSE_TOOLS` (a directory), then `PATH`.
enum Tool {
    /// Where a program is; a test that needs a missing one fails with this.
    static func path(_ name: String) throws -> String {
        for folder in folders {
            let path = "\(folder)/\(name)"
            if access(path, X_OK) == 0 { return path }
        }
        throw Trouble("\(name) is neither in GATEHOUSE_TOOLS nor in PATH: install it (see `make help`)")
    }

    /// Runs a program to its end, whatever its exit code.
    static func run(
        _ name: String, _ arguments: [String], in folder: Folder, input: Data? = nil,
        environment: [String: String] = [:], within seconds: Double = 60
    ) throws -> Finished {
        try start(name, arguments, in: folder, input: input, environment: environment).finish(within: seconds)
    }

    /// Runs a program that must succeed.
    @discardableResult
    static func succeed(
        _ name: String, _ arguments: [String], in folder: Folder, input: Data? = nil,
        environment: [String: String] = [:], within seconds: Double = 60
    ) throws -> Finished {
        let finished = try run(
            name, arguments, in: folder, input: input, environment: environment, within: seconds)
        guard finished.status == 0 else { throw Trouble("\(name) \(arguments.prefix(2)): \(finished)") }
        return finished
    }

    /// Starts a program and lets it run.
    static func start(
        _ name: String, _ arguments: [String], in folder: Folder, input: Data? = nil,
        environment: [String: String] = [:]
    ) throws -> Program {
        let prefix = folder.fresh(URL(fileURLWithPath: name).lastPathComponent)
        if let input { try input.write(to: URL(fileURLWithPath: prefix + ".in")) }
        return try Program(
            name.hasPrefix("/") ? name : path(name), arguments, environment: base(folder, environment),
            directory: folder.path, input: input == nil ? "/dev/null" : prefix + ".in", outputPrefix: prefix)
    }

    /// Nothing of the caller's environment reaches a client but the way to programs.
    private static func base(_ folder: Folder, _ more: [String: String]) -> [String: String] {
        let fixed = [
            "PATH": folders.joined(separator: ":"), "HOME": folder.path, "TMPDIR": folder.path,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        ]
        return fixed.merging(more) { $1 }
    }

    private static var folders: [String] {
        let environment = ProcessInfo.processInfo.environment
        let path = (environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin:/sbin"
        return ([environment["GATEHOUSE_TOOLS"] ?? ""] + path.split(separator: ":").map(String.init))
            .filter { !$0.isEmpty }
    }
}

extension Data {
    /// What is in a file, nothing when it is missing.
    static func contents(_ path: String) -> Data { FileManager.default.contents(atPath: path) ?? Data() }
}
