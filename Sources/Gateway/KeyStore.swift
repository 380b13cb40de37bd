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
    func masterKeys() throws -> MasterKeys {
        let prefix = "credential-master-"
        let suffix = ".key"
        var keys: [Int: Secret] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: state.secrets)) ?? [] {
            guard name.hasPrefix(prefix), name.hasSuffix(suffix),
                let version = Int(name.dropFirst(prefix.count).dropLast(suffix.count))
            else { continue }
            let text = try String(contentsOfFile: "\(state.secrets)/\(name)", encoding: .utf8)
            keys[version] = Hex.decode(text.trimmingCharacters(in: .whitespacesAndNewlines)).map {
                Secret($0)
            }
        }
        guard let masterKeys = MasterKeys(keys) else {
            throw StartupError(
                "no usable master key in \(state.secrets)",
                remedy: "restore credential-master-N.key (64 hexadecimal characters) from the backup")
        }
        return masterKeys
    }
}
