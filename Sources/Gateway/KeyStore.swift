import EnrollmentCore
import Foundation
import Identity

/// The secrets of a state directory: the master keys of enrollment credentials.
struct KeyStore {
    let state: StateDirectory

    /// Makes the first master key on first use.
    func createIfMissing(random: any RandomSource) throws {
        try state.createOnce(state.secrets) { directory in
            let key = Hex.encode(random.octets(32)) + "\n"
            try StateDirectory.writePrivate(Array(key.utf8), to: "\(directory)/credential-master-1.key")
        }
    }

    /// All master keys: files `credential-master-N.key`, each 64 hexadecimal characters.
    ///
    /// - Throws: `StartupError` for any such file that is not exactly that: a key that is passed over would
    ///   turn every credential of its version into a wrong guess.
    func masterKeys() throws -> MasterKeys {
        let prefix = "credential-master-"
        let suffix = ".key"
        var keys: [Int: Secret] = [:]
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: state.secrets) else {
            throw StartupError("cannot read \(state.secrets)", remedy: "run as the user that owns the state")
        }
        for name in names where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
            let path = "\(state.secrets)/\(name)"
            let text = try StateDirectory.readPrivate(path).trimmingCharacters(in: .whitespacesAndNewlines)
            guard let version = Int(name.dropFirst(prefix.count).dropLast(suffix.count)), version >= 1,
                let key = Hex.decode(text), key.count == 32
            else {
                throw StartupError(
                    "\(path) is no master key",
                    remedy: "restore it: 64 hexadecimal characters, version from 1",
                    exitCode: .invalid)
            }
            keys[version] = Secret(key)
        }
        guard let masterKeys = MasterKeys(keys) else {
            throw StartupError(
                "no master key in \(state.secrets)", remedy: "restore credential-master-N.key from the backup"
            )
        }
        return masterKeys
    }
}
