import EnrollmentCore
import Foundation
import Glibc
import TransparencyLog

/// Under which names and keys the log is signed.
///
/// The key stays the same for good. The name is the origin, and `<origin>/<generation>` after a rollback that
/// a person accepted; each name makes another verifier key.
struct LogIdentity: Sendable {
    /// The key under the configured origin, generation 0.
    let key: NoteVerifierKey

    /// The log's name in a generation.
    func origin(_ generation: Int64) -> String { generation == 0 ? key.name : "\(key.name)/\(generation)" }

    /// The key that verifies checkpoints of a generation.
    func key(_ generation: Int64) -> NoteVerifierKey? {
        try? NoteVerifierKey(parsing: Self.vkey(origin(generation), key.publicKey))
    }

    /// Which generation an origin is of; nil when it is of another log.
    func generation(of origin: String) -> Int64? {
        if origin == key.name { return 0 }
        guard origin.hasPrefix(key.name + "/"), let number = Int64(origin.dropFirst(key.name.utf8.count + 1)),
            number > 0, self.origin(number) == origin
        else { return nil }
        return number
    }

    /// The verifier keys of all generations that there were, newest first.
    func keyFile(generations: [Int64]) -> String {
        (generations.reversed() + [0]).compactMap { key($0)?.text }.map { $0 + "\n" }.joined()
    }

    /// Reads `pki/log.vkey`.
    ///
    /// - Throws: `StartupError` when there is none, or when the configuration names another log.
    static func read(_ state: StateDirectory, _ log: Configuration.TransparencyLog) throws -> LogIdentity {
        guard let text = try? String(contentsOfFile: state.logKey, encoding: .utf8) else {
            throw StartupError(
                "there is no verifier key of the log, \(state.logKey)",
                remedy: "copy it from the host that sequences; the first one is made by `gatehouse sequencer "
                    + "--make-key` or `gatehouse up`", exitCode: .notFound)
        }
        let last = text.split(separator: "\n").last.map(String.init) ?? ""
        do throws(LogFormatError) {
            let identity = LogIdentity(key: try NoteVerifierKey(parsing: last))
            guard log.origin == nil || log.origin == identity.key.name else {
                throw LogFormatError(
                    "it is of \(identity.key.name), the configuration of \(log.origin ?? "")")
            }
            return identity
        } catch {
            throw StartupError(
                "\(state.logKey) does not serve: \(error)",
                remedy: "set log.origin to the name the log has had, or restore the file", exitCode: .invalid)
        }
    }

    /// Makes a key for a state that has none, and the verifier key beside the authorities' certificates. A
    /// state whose private key was taken away keeps its verifier key and gets no other.
    static func createIfMissing(
        _ state: StateDirectory, _ log: Configuration.TransparencyLog, random: any RandomSource
    ) throws {
        guard !FileManager.default.fileExists(atPath: state.logKey) else { return }
        let path = log.checkpointKey ?? state.checkpointKey
        if !FileManager.default.fileExists(atPath: path) {
            let origin = log.origin ?? "gatehouse.localhost/" + Hex.encode(random.octets(4))
            let made = try NoteSigner(name: origin, privateKey: Secret(random.octets(32)))
            try StateDirectory.writePrivate(made.keyText.revealed + [10], to: path + ".unfinished")
            try put(path + ".unfinished", at: path)
        }
        let identity = LogIdentity(key: try privateKey(path).verifierKey)
        try identity.writeKeyFile(state, generations: [])
    }

    /// The signer of a generation, where this host has the key.
    ///
    /// - Returns: nil when it has none.
    func signer(
        _ state: StateDirectory, _ log: Configuration.TransparencyLog, generation: Int64
    ) throws -> NoteSigner? {
        let path = log.checkpointKey ?? state.checkpointKey
        guard log.checkpointKey != nil || FileManager.default.fileExists(atPath: path) else { return nil }
        let signer = try Self.privateKey(path)
        guard signer.verifierKey == key else {
            throw StartupError(
                "\(path) is the key of \(signer.verifierKey.text), not of \(state.logKey)",
                remedy: "the two belong together: restore the one that is wrong", exitCode: .invalid)
        }
        let encoded = signer.keyText.revealed.split(separator: UInt8(ascii: "+"), maxSplits: 4).last
        guard generation > 0, let seed = encoded.flatMap({ Base64.decode($0) })?.dropFirst() else {
            return signer
        }
        return try NoteSigner(name: origin(generation), privateKey: Secret(Array(seed)))
    }

    /// Writes `pki/log.vkey`, if it says something else; for everybody to read.
    func writeKeyFile(_ state: StateDirectory, generations: [Int64]) throws {
        let text = keyFile(generations: generations)
        if (try? String(contentsOfFile: state.logKey, encoding: .utf8)) == text { return }
        let unfinished = state.logKey + ".unfinished"
        try StateDirectory.writePrivate(Array(text.utf8), to: unfinished)
        guard chmod(unfinished, 0o644) == 0 else {
            throw StartupError("cannot write \(state.logKey)", remedy: "free disk space or permissions")
        }
        try Self.put(unfinished, at: state.logKey)
    }

    private static func privateKey(_ path: String) throws -> NoteSigner {
        let text = try StateDirectory.readPrivate(path).trimmingCharacters(in: .newlines)
        do throws(LogFormatError) { return try NoteSigner(parsing: Secret(text)) } catch {
            throw StartupError(
                "\(path) is no checkpoint key: \(error)", remedy: "restore it from the backup",
                exitCode: .invalid)
        }
    }

    private static func put(_ unfinished: String, at path: String) throws {
        guard rename(unfinished, path) == 0 else {
            throw StartupError("cannot write \(path)", remedy: "free disk space or permissions")
        }
    }

    /// C2SP signed-note, "Verifier keys".
    private static func vkey(_ name: String, _ publicKey: [UInt8]) -> String {
        let typed = [0x01] + publicKey
        let id = Digest(of: Array(name.utf8) + [0x0a] + typed).bytes.prefix(4)
        return "\(name)+\(Hex.encode(id))+\(Base64.encode(typed))"
    }
}
