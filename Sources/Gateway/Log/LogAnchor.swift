import EnrollmentCore
import Foundation
import Glibc
import Ledger
import Sequencing
import TransparencyLog

/// The largest checkpoint that this host has seen: `log/anchor`, a signed note. It never gets smaller.
struct LogAnchor: Sendable {
    let state: StateDirectory
    let identity: LogIdentity

    var path: String { "\(state.log)/anchor" }

    /// What is in the file; nil when there is none.
    ///
    /// - Throws: `StartupError` for a file that is there and is no checkpoint of our log: what it said is not
    ///   known, so nothing is as it should be.
    func read() throws -> SeenCheckpoint? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        do throws(LogFormatError) { return try seen(SignedNote(parsing: text)) } catch {
            throw StartupError(
                "\(path) is no checkpoint of this log: \(error)",
                remedy: "restore it from a publication of the log's newest checkpoint", exitCode: .invalid)
        }
    }

    /// What a note says, once its signature is verified.
    func seen(_ note: SignedNote) throws(LogFormatError) -> SeenCheckpoint {
        let checkpoint = try note.checkpoint()
        guard let generation = identity.generation(of: checkpoint.origin),
            identity.key(generation)?.verify(note) == true
        else { throw LogFormatError("it is not signed by \(identity.key.name)") }
        guard checkpoint.size > 0 else { throw LogFormatError("it is of an empty log") }
        return SeenCheckpoint(generation: generation, size: checkpoint.size, root: checkpoint.root)
    }

    /// Why our key must not go on after a stored checkpoint; nil when it signed that.
    func refusal(of stored: StoredCheckpoint) -> StartupError? {
        do throws(LogFormatError) {
            _ = try seen(stored.signedNote())
            return nil
        } catch {
            return StartupError(
                "the database's newest checkpoint (\(stored.size) leaves) is of another key: \(error)",
                remedy: "move the key that signed it (secrets/checkpoint.key and pki/log.vkey) here",
                exitCode: .invalid)
        }
    }

    /// Makes a checkpoint the anchor if it is larger than what is there, or of a later generation. Called
    /// before a checkpoint leaves this host, so that nobody holds one that this host has forgotten.
    ///
    /// - Throws: `LogFormatError` for what our key did not sign; `StartupError` when the file cannot be
    ///   written.
    func raise(to note: SignedNote) throws {
        let seen = try seen(note)
        try makeFolder()
        // The sequencer raises it beside the guard, and other commands in processes of their own.
        let lock = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0, flock(lock, LOCK_EX) == 0 else { throw unwritable() }
        defer { close(lock) }
        guard try read().map({ $0.size < seen.size || $0.generation < seen.generation }) ?? true else {
            return
        }
        try replace(path, note.encoded)
    }

    /// Puts an anchor aside whose loss a person accepted.
    func archive(_ seen: SeenCheckpoint) throws {
        guard rename(path, "\(path).\(seen.generation)-\(seen.size)") == 0 else { throw unwritable() }
        try syncFolder()
    }

    func replace(_ path: String, _ text: String) throws {
        do throws(PublicationError) { try DurableFile.replace(path, Array(text.utf8)) } catch {
            throw StartupError(error.description, remedy: "free disk space or permissions")
        }
    }

    func makeFolder() throws {
        guard mkdir(state.log, 0o700) == 0 || errno == EEXIST else { throw unwritable() }
    }

    private func syncFolder() throws {
        let folder = open(state.log, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw unwritable() }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw unwritable() }
    }

    private func unwritable() -> StartupError {
        StartupError(
            "cannot write \(path): \(String(cString: strerror(errno)))",
            remedy: "free disk space or permissions")
    }
}
