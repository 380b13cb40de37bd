import EnrollmentCore
import Foundation
import Glibc

/// The layout of a state directory (product: State directory).
struct StateDirectory: Sendable {
    /// Absolute, symbolic links resolved.
    let path: String

    var configuration: String { "\(path)/gatehouse.yaml" }
    var pki: String { "\(path)/pki" }
    var secrets: String { "\(path)/secrets" }
    var policies: String { "\(path)/policies" }
    var postgres: String { "\(path)/postgres" }
    var run: String { "\(path)/run" }
    /// What is published of the log by default, and the largest checkpoint that was seen.
    var log: String { "\(path)/log" }
    /// The verifier keys of the log, one a line, the newest origin first.
    var logKey: String { "\(pki)/log.vkey" }
    var checkpointKey: String { "\(secrets)/checkpoint.key" }

    /// Where PostgreSQL's socket lives: `run/`, unless that path is too long for a socket address (107
    /// octets), in which case a private directory below /tmp named after the state.
    var socketDirectory: String {
        if "\(run)/.s.PGSQL.5432".utf8.count <= 100 { return run }
        return "/tmp/gatehouse-\(Hex.encode(Digest(of: Array(path.utf8)).bytes.prefix(8)))"
    }

    /// A state directory that may not be there.
    static func named(_ given: String) -> StateDirectory {
        StateDirectory(path: URL(fileURLWithPath: given).resolvingSymlinksInPath().standardizedFileURL.path)
    }

    /// An existing state directory, for every command but `up`.
    static func existing(_ given: String) throws -> StateDirectory {
        let state = named(given)
        guard access(state.configuration, R_OK) == 0 else {
            throw StartupError(
                "\(given) is not a readable state directory (no gatehouse.yaml)",
                remedy: "start it once with `gatehouse up --state \(given)`, as the same user",
                exitCode: .notFound)
        }
        return state
    }

    /// Makes the directory for `user`, or finds it. Where that user cannot enter it (a checkout below a home
    /// of mode 0700), the state lives below /var/lib/gatehouse and `given` becomes a symbolic link to it.
    static func prepare(_ given: String, for user: UnprivilegedUser) throws -> StateDirectory {
        let absolute = URL(fileURLWithPath: given).standardizedFileURL.path
        var path = URL(fileURLWithPath: absolute).resolvingSymlinksInPath().path
        let manager = FileManager.default
        if geteuid() == 0, path == absolute, !user.canEnter(absolute) {
            if manager.fileExists(atPath: absolute) {
                throw StartupError(
                    "the user \(user.name) cannot enter \(absolute)", remedy: "move it away, then start again"
                )
            }
            let shared = "/var/lib/gatehouse"
            try manager.createDirectory(
                atPath: shared, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            path = "\(shared)/\(Hex.encode(Digest(of: Array(absolute.utf8)).bytes.prefix(8)))"
            try? manager.removeItem(atPath: absolute)
            try manager.createSymbolicLink(atPath: absolute, withDestinationPath: path)
        }
        try makePrivate(path, user)
        return StateDirectory(path: path)
    }

    /// Makes the directory, or takes it as it is when it is `user`'s own and nobody else can write to it.
    ///
    /// Anything else that exists is refused: a directory of somebody else's could hold planted keys, and root
    /// must not give away what a mistyped path names. All checks are made on one open descriptor.
    private static func makePrivate(_ path: String, _ user: UnprivilegedUser) throws {
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path,
            withIntermediateDirectories: true)
        let isNew = mkdir(path, 0o700) == 0
        guard isNew || errno == EEXIST else { throw unusable(path, String(cString: strerror(errno))) }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw unusable(path, "it is no directory that can be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unusable(path, String(cString: strerror(errno))) }
        let isEmpty = (try? FileManager.default.contentsOfDirectory(atPath: path))?.isEmpty == true
        if status.st_uid == geteuid(), isEmpty {
            guard fchown(descriptor, user.userID, user.groupID) == 0, fchmod(descriptor, 0o700) == 0 else {
                throw unusable(
                    path, "it cannot be given to \(user.name): \(String(cString: strerror(errno)))")
            }
            return
        }
        guard status.st_uid == user.userID, status.st_mode & 0o022 == 0 else {
            throw unusable(path, "it is not \(user.name)'s alone (an existing state must be, or be empty)")
        }
        guard fchmod(descriptor, 0o700) == 0 else { throw unusable(path, String(cString: strerror(errno))) }
    }

    private static func unusable(_ path: String, _ cause: String) -> StartupError {
        StartupError("cannot use \(path) as state: \(cause)", remedy: "choose another --state directory")
    }

    /// Makes one part of the state as a whole or not at all: a process killed half-way leaves nothing that
    /// looks finished.
    func createOnce(_ directory: String, _ fill: (_ unfinished: String) throws -> Void) throws {
        let manager = FileManager.default
        guard !manager.fileExists(atPath: directory) else { return }
        let unfinished = directory + ".unfinished"
        try? manager.removeItem(atPath: unfinished)
        try manager.createDirectory(
            atPath: unfinished, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try fill(unfinished)
        try manager.moveItem(atPath: unfinished, toPath: directory)
    }

    /// Writes a file that only its owner may read.
    static func writePrivate(_ contents: [UInt8], to path: String) throws {
        let made = FileManager.default.createFile(
            atPath: path, contents: Data(contents), attributes: [.posixPermissions: 0o600])
        guard made else {
            throw StartupError("cannot write \(path)", remedy: "free disk space or permissions")
        }
    }

    /// Reads a file that holds a key.
    ///
    /// - Throws: `StartupError` when it is missing, or when others may read or write it.
    static func readPrivate(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StartupError("cannot read \(path)", remedy: "restore it from the backup")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0
        else {
            throw StartupError(
                "\(path) can be read by others than its owner",
                remedy: "chmod 600 it, and consider its keys known",
                exitCode: .invalid)
        }
        return String(decoding: file.readDataToEndOfFile(), as: UTF8.self)
    }

    /// Holds the state for this process alone until it ends. A second `up` on the same state is told so.
    func lock() throws -> StateLock { try StateLock(path: "\(run)/up.lock") }
}

/// An advisory lock that the kernel gives back when the process ends, however it ends.
final class StateLock {
    private let descriptor: Int32

    init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw StartupError(
                "another gatehouse is running on this state (\(path))",
                remedy: "stop it first, or name another directory with --state")
        }
    }

    deinit { close(descriptor) }
}
