import Ledger

/// Why sequencing ends until a person has looked: whatever the database holds is not the log that was signed.
package enum SequencerError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stored log contradicts itself.
    case tampered(String)
    /// The stored log lacks, or contradicts, a tree head that was signed before.
    case rolledBack(String)
    /// The key does not sign.
    case unsigned(String)

    package var description: String {
        switch self {
        case .tampered(let what):
            "the stored log was changed: \(what); run gatehouse-verify and restore it before sequencing"
        case .rolledBack(let what):
            "the stored log was set back: \(what); restore the newest copy, or accept the rollback"
        case .unsigned(let what): "the checkpoint key does not sign: \(what)"
        }
    }
}

/// What ends one step: all of sequencing, or only what was kept of the log.
enum Interruption: Error {
    case stop(SequencerError)
    case log(LogWriteError)
}
