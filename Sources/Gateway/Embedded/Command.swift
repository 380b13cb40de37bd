import Foundation
import Glibc

/// A program run to its end, for start-up and shut-down only.
///
/// By `posix_spawn` itself: Foundation's `Process` hands its child a descriptor and waits until all
/// descendants have closed it, which a daemon never does.
enum Command {
    /// Runs `program` and waits; standard output and error are returned together.
    ///
    /// Its environment is a fixed one, so that its messages can be read.
    static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        var template = Array("/tmp/gatehouse-output-XXXXXX".utf8CString)
        let capture = mkstemp(&template)
        guard capture >= 0, fcntl(capture, F_SETFD, FD_CLOEXEC) == 0 else {
            throw StartupError("cannot write to /tmp", remedy: "free disk space or permissions")
        }
        defer { close(capture) }
        unlink(template)
        let status = try spawn(program, arguments, output: capture)
        guard lseek(capture, 0, SEEK_SET) == 0 else { return (status, "") }
        let output = FileHandle(fileDescriptor: capture, closeOnDealloc: false)
        let text = String(decoding: output.readDataToEndOfFile(), as: UTF8.self)
        return (status, text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private static func spawn(_ program: String, _ arguments: [String], output: Int32) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        let environment = ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C", "TZ=UTC"]
        var process = pid_t()
        let failure = withPointers([program] + arguments) { argumentPointers in
            withPointers(environment) { posix_spawn(&process, program, &actions, nil, argumentPointers, $0) }
        }
        guard failure == 0 else {
            throw StartupError(
                "cannot run \(program): \(String(cString: strerror(failure)))",
                remedy: "install the package that has it")
        }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else {
                throw StartupError("lost track of \(program)", remedy: "start again")
            }
        }
        // As a shell reports it: the exit code, or 128 and the number of the signal.
        return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// Null-terminated C strings that live as long as `body` runs.
    private static func withPointers<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = texts.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
