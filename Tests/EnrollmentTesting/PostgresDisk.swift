import Foundation
import Glibc

/// A disk of a few mebibytes, mounted where only the processes in a namespace of its own see it, so that a
/// test can fill it and nothing else.
final class LimitedDisk: Sendable {
    /// What a command line begins with to run where the disk is mounted.
    let entrance: [String]
    /// The namespace's root directory, as a path of this process.
    let root: String
    private let holder: pid_t

    /// - Parameters:
    ///   - directory: made, and mounted over; belongs to the server's user.
    ///   - mebibytes: its size.
    /// - Throws: `Failure` with the remedy when nothing may be mounted here.
    init(at directory: String, mebibytes: Int) throws {
        guard geteuid() == 0 else {
            throw PostgresCluster.Failure(
                description:
                    "a disk of limited size needs the right to mount: run this test as root, or in a "
                    + "container of which you are root")
        }
        let script = """
            mkdir -m 700 "$0" && \\
            mount -t tmpfs -o "size=$1m,mode=0700,uid=$(id -u postgres),gid=$(id -g postgres)" \\
            tmpfs "$0" && touch "$0.mounted" && exec sleep infinity
            """
        let command = [
            "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, directory,
            String(mebibytes),
        ]
        holder = try Self.spawn(command)
        root = "/proc/\(holder)/root"
        entrance = ["/usr/bin/nsenter", "--mount", "--target", String(holder)]
        for _ in 0..<500 where access(directory + ".mounted", F_OK) != 0 { usleep(10_000) }
        guard access(directory + ".mounted", F_OK) == 0 else {
            remove()
            throw PostgresCluster.Failure(
                description: "no tmpfs could be mounted: run this test where root may mount (CAP_SYS_ADMIN)")
        }
    }

    /// Ends the namespace, and with it the disk.
    func remove() {
        kill(holder, SIGKILL)
        var status: Int32 = 0
        waitpid(holder, &status, 0)
    }

    private static func spawn(_ command: [String]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in Int32(0)..<3 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        for descriptor in Int32(3)..<256 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        let arguments = command.map { (text: String) in strdup(text) } + [nil]
        let environment = [strdup("PATH=/usr/bin:/bin:/usr/sbin:/sbin"), nil]
        defer { for text in arguments + environment { free(text) } }
        var child = pid_t()
        guard let program = command.first,
            posix_spawn(&child, program, &actions, nil, arguments, environment) == 0
        else { throw PostgresCluster.Failure(description: "cannot start \(command.first ?? "")") }
        return child
    }
}
