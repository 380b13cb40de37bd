import Foundation
import Glibc

/// The operating-system user that owns the state and runs everything.
///
/// Started as root, `up` makes over the state to the system user `gatehouse` and becomes that user before it
/// starts anything, so that nothing keeps running as root.
struct UnprivilegedUser {
    let name: String
    let userID: uid_t
    let groupID: gid_t

    static let systemName = "gatehouse"

    /// The user to run as: the system user when called by root (made if need be), the caller otherwise.
    static func resolve() throws -> UnprivilegedUser {
        guard geteuid() == 0 else { return try current() }
        if let user = lookUp(systemName) { return user }
        let made = try Command.run(
            "/usr/sbin/useradd",
            [
                "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell",
                "/usr/sbin/nologin", systemName,
            ])
        guard made.status == 0, let user = lookUp(systemName) else {
            throw StartupError(
                "cannot make the system user \(systemName): \(made.output)",
                remedy: "make it yourself (useradd --system \(systemName)) or run as an ordinary user")
        }
        return user
    }

    /// The name of the user who logged in to this session, as the kernel's audit keeps it; nil for a service.
    static var login: String? {
        guard let text = try? String(contentsOfFile: "/proc/self/loginuid", encoding: .utf8),
            let userID = uid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)), userID != uid_t.max,
            let entry = getpwuid(userID)
        else { return nil }
        return String(cString: entry.pointee.pw_name)
    }

    /// The person at work, as approvals name them: who logged in, or else whom this process runs as.
    static func person() throws -> String {
        if let login { return "os:\(login)" }
        return "os:\(try current().name)"
    }

    /// The user this process runs as.
    static func current() throws -> UnprivilegedUser {
        guard let entry = getpwuid(geteuid()) else {
            throw StartupError(
                "user id \(geteuid()) has no name on this computer",
                remedy: "run as a user that /etc/passwd knows: PostgreSQL identifies its peers by name")
        }
        return UnprivilegedUser(
            name: String(cString: entry.pointee.pw_name), userID: geteuid(), groupID: getegid())
    }

    /// Becomes this user for good; does nothing when it is the caller already.
    func assume() throws {
        guard geteuid() == 0 else { return }
        guard setgroups(0, nil) == 0, setgid(groupID) == 0, setuid(userID) == 0, geteuid() == userID,
            setuid(0) != 0
        else {
            throw StartupError(
                "cannot become the user \(name)", remedy: "run as an ordinary user instead of root")
        }
    }

    /// Whether this user can reach a directory through all its parents.
    ///
    /// - Parameter path: absolute; parts that do not exist yet count as reachable.
    func canEnter(_ path: String) -> Bool {
        var parent = URL(fileURLWithPath: path).standardizedFileURL.deletingLastPathComponent()
        while parent.path != "/" {
            var status = stat()
            if stat(parent.path, &status) == 0 {
                let bits: mode_t
                switch (status.st_uid == userID, status.st_gid == groupID) {
                case (true, _): bits = S_IXUSR
                case (false, true): bits = S_IXGRP
                case (false, false): bits = S_IXOTH
                }
                if status.st_mode & bits == 0 { return false }
            }
            parent.deleteLastPathComponent()
        }
        return true
    }

    private static func lookUp(_ name: String) -> UnprivilegedUser? {
        guard let entry = getpwnam(name) else { return nil }
        return UnprivilegedUser(name: name, userID: entry.pointee.pw_uid, groupID: entry.pointee.pw_gid)
    }
}
