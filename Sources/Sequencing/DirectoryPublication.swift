import EnrollmentCore
import Foundation
package import TransparencyLog

/// A folder in which every file is written once, as in a bucket with object lock:
///
/// - `checkpoints/<size in 20 digits>`: each checkpoint published, as the log signed it;
/// - `tile/…`: the tiles of the tree, by their paths of C2SP tlog-tiles;
/// - `checkpoint`: the largest of them with its cosignatures, the only file that is ever replaced.
///
/// Served over HTTP as it is, it is a read-only mirror of the log's tree.
package actor DirectoryPublication: CheckpointPublication {
    package nonisolated let name: String
    private let folder: String
    private let key: NoteVerifierKey
    /// The largest checkpoint in the folder, once it is known.
    private var largest: Checkpoint?

    /// - Parameters:
    ///   - name: what people call it.
    ///   - folder: made when it is not there; of one origin, for good.
    ///   - key: the log's.
    package init(name: String, folder: String, key: NoteVerifierKey) {
        self.name = name
        self.folder = folder
        self.key = key
    }

    package func publish(_ note: SignedNote, tiles: any TileReader) async throws(PublicationError) {
        let checkpoint = try note.checkpoint(signedBy: key, in: "what came for \(folder)")
        if largest == nil, let kept = try readLargest() { largest = try kept.publishable() }
        let known = largest
        if let known {
            if checkpoint.size < known.size { return }
            try await checkpoint.mustContinue(known, in: folder, tiles: tiles)
        }
        for address in Self.addresses(from: known?.size ?? 0, to: checkpoint.size) {
            let hashes: [Digest]
            do { hashes = try await tiles.hashes(of: address) } catch {
                throw .failed("\(address.path) cannot be read: \(error)")
            }
            try DurableFile.create("\(folder)/\(address.path)", hashes.flatMap(\.bytes))
        }
        let byTheLog = SignedNote(
            text: note.text, signatures: note.signatures.filter { $0.name == checkpoint.origin })
        try DurableFile.create(path(of: checkpoint.size), Array(byTheLog.encoded.utf8))
        // Another call may have published a larger one while this one waited for a tile.
        guard checkpoint.size >= largest?.size ?? 0 else { return }
        try DurableFile.replace("\(folder)/checkpoint", Array(note.encoded.utf8))
        largest = checkpoint
    }

    package func largestCheckpoint() async throws(PublicationError) -> SignedNote? { try readLargest() }

    private func readLargest() throws(PublicationError) -> SignedNote? {
        let names: [String]
        do {
            let listed = "\(folder)/checkpoints"
            guard FileManager.default.fileExists(atPath: listed) else { return nil }
            names = try FileManager.default.contentsOfDirectory(atPath: listed)
        } catch { throw .failed("cannot list \(folder)/checkpoints: \(error.localizedDescription)") }
        guard let size = names.filter({ $0.utf8.count == 20 }).compactMap({ Int64($0) }).max() else {
            return nil
        }
        guard let octets = try DurableFile.read(path(of: size)) else { return nil }
        let note: SignedNote
        do throws(LogFormatError) {
            note = try SignedNote(parsing: String(decoding: octets, as: UTF8.self))
        } catch { throw .conflict("\(path(of: size)) is no checkpoint: \(error)") }
        guard try note.checkpoint(signedBy: key, in: path(of: size)).size == size else {
            throw .conflict("\(path(of: size)) is a checkpoint of another size")
        }
        return note
    }

    private func path(of size: Int64) -> String {
        let digits = String(size)
        return "\(folder)/checkpoints/" + String(repeating: "0", count: max(0, 20 - digits.count)) + digits
    }

    /// The tiles of a tree that a smaller one does not have: those made full, and its partial ones.
    private static func addresses(from old: Int64, to size: Int64) -> [TileAddress] {
        var addresses: [TileAddress] = []
        for level in 0..<8 {
            let hashes = size >> Int64(8 * level)
            let full = (old >> Int64(8 * level)) >> 8..<hashes >> 8
            addresses += full.map { TileAddress(level: level, index: $0, width: Tile.width) }
            let width = Int(hashes & 255)
            if width > 0 { addresses.append(TileAddress(level: level, index: hashes >> 8, width: width)) }
        }
        return addresses
    }
}
