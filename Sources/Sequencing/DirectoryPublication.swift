import EnrollmentCore
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
        if largest == nil, let kept = try read().largest { largest = try kept.publishable() }
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

    package func content() async throws(PublicationError) -> PublicationContent { try read() }

    /// From the largest name down to the first that holds what it says: anybody may put a name there.
    private func read() throws(PublicationError) -> PublicationContent {
        let listed = "\(folder)/checkpoints"
        let names = (try DurableFile.names(in: listed) ?? []).filter { !$0.hasPrefix(".") }
        let newest = try octets("\(folder)/checkpoint")
        var content = PublicationContent(largest: newest.flatMap(Self.note))
        var found = content.largest.flatMap { key.checkpoint(in: $0) }
        if newest != nil, found == nil { content = PublicationContent(foreign: ["\(folder)/checkpoint"]) }
        for name in names.filter(Self.isSize).sorted(by: >) {
            // No tree is as large as the largest names of twenty digits say.
            let size = Int64(name)
            if let size, size < found?.size ?? 0 { break }
            guard let octets = try octets("\(listed)/\(name)") else { continue }
            if let note = Self.note(octets), let checkpoint = key.checkpoint(in: note),
                checkpoint.size == size
            {
                (content.largest, found) = (note, checkpoint)
                break
            }
            content.addForeign("\(listed)/\(name)")
        }
        guard found != nil || (names.isEmpty && newest == nil) else {
            throw .conflict("\(folder) holds no checkpoint that \(key.name) signed")
        }
        return content
    }

    /// What is in a file; nothing of one that is too large for a note.
    private func octets(_ path: String) throws(PublicationError) -> [UInt8]? {
        try DurableFile.tail(path, most: SignedNote.maximumOctets).map { $0.isAll ? $0.octets : [] }
    }

    private static func note(_ octets: [UInt8]) -> SignedNote? {
        try? SignedNote(parsing: String(decoding: octets.filter { $0 != 13 }, as: UTF8.self))
    }

    private static func isSize(_ name: String) -> Bool {
        name.utf8.count == 20 && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
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
