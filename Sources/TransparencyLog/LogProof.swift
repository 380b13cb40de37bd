package import EnrollmentCore

/// A proof, complete in itself, that an entry is in a log (C2SP tlog-proof).
package struct LogProof: Sendable, Hashable {
    /// Larger proofs are refused.
    package static let maximumOctets = 2_000_000
    /// Proofs with more hashes are refused; no tree is higher.
    package static let maximumHashes = 63
    private static let header = "c2sp.org/tlog-proof@v1"

    /// Octets beside the proof, which nothing here authenticates; nil when there is no such line.
    package let extra: [UInt8]?
    /// Where the entry is in the log, counted from 0.
    package let index: Int64
    /// The inclusion proof, the leaf's sibling first.
    package let hashes: [Digest]
    /// The checkpoint it leads to, with the signatures of log and witnesses.
    package let checkpoint: SignedNote

    /// The arguments are within their limits.
    package init(extra: [UInt8]?, index: Int64, hashes: [Digest], checkpoint: SignedNote) {
        self.extra = extra
        self.index = index
        self.hashes = hashes
        self.checkpoint = checkpoint
    }

    /// The proof as a `.tlog-proof` file.
    package var encoded: String {
        var lines = [Self.header]
        if let extra { lines.append("extra " + Base64.encode(extra)) }
        lines.append("index \(index)")
        lines += hashes.map { Base64.encode($0.bytes) }
        return lines.map { $0 + "\n" }.joined() + "\n" + checkpoint.encoded
    }

    /// Reads a proof; what is read is written back as the same octets. Nothing is verified.
    ///
    /// - Throws: `LogFormatError` for what is too large, no proof, or has a note that is no checkpoint.
    package init(parsing encoded: String) throws(LogFormatError) {
        guard encoded.utf8.count <= Self.maximumOctets else {
            throw LogFormatError("a proof has at most \(Self.maximumOctets) octets")
        }
        let octets = Array(encoded.utf8)
        guard
            let empty = octets.indices.dropFirst().first(where: { octets[$0] == 10 && octets[$0 - 1] == 10 }),
            var lines = NoteText.lines(octets[..<empty]).map({ $0[...] }),
            let header = lines.popFirst(), NoteText.same(header, Self.header)
        else { throw LogFormatError("a proof begins with \(Self.header) and has an empty line") }
        extra = try Self.extra(&lines)
        guard let index = lines.popFirst().flatMap({ Self.value("index ", in: $0) }).flatMap(Decimal64.parse)
        else { throw LogFormatError("a proof has a line with index and a decimal number") }
        self.index = index
        guard lines.count <= Self.maximumHashes else {
            throw LogFormatError("a proof has at most \(Self.maximumHashes) hashes")
        }
        hashes = lines.compactMap { Base64.decode($0.utf8).flatMap(Digest.init(bytes:)) }
        guard hashes.count == lines.count else {
            throw LogFormatError("a proof's hashes are 32 octets in base64, one a line")
        }
        checkpoint = try SignedNote(parsing: String(decoding: octets[(empty + 1)...], as: UTF8.self))
        _ = try checkpoint.checkpoint()
    }

    private static func extra(_ lines: inout ArraySlice<String>) throws(LogFormatError) -> [UInt8]? {
        guard let text = lines.first.flatMap({ value("extra ", in: $0) }) else { return nil }
        lines.removeFirst()
        guard let extra = Base64.decode(text.utf8) else {
            throw LogFormatError("a proof's extra data are in base64")
        }
        return extra
    }

    private static func value(_ name: String, in line: String) -> Substring? {
        line.utf8.starts(with: name.utf8) ? Substring(line.utf8.dropFirst(name.utf8.count)) : nil
    }

    /// Verifies all that this proof claims: that the log, whose name is the origin, signed the checkpoint,
    /// that at least `quorum` of the witnesses cosigned it, and that the leaf is in its tree.
    ///
    /// - Parameters:
    ///   - leaf: the hash of the entry, which the caller computes.
    ///   - log: the key of the log.
    ///   - witnesses: their keys, all of them for cosignatures. Two names for one key count once.
    ///   - quorum: how many witnesses it takes.
    /// - Throws: `LogFormatError`, saying what does not hold. The signature of a witness that is wrong is an
    ///   error even when there are enough without it.
    package func verify(
        leaf: Digest, log: NoteVerifierKey, witnesses: [NoteVerifierKey] = [], quorum: Int = 0
    ) throws(LogFormatError) {
        let head = try checkpoint.checkpoint()
        guard NoteText.same(head.origin, log.name) else {
            throw LogFormatError("the checkpoint is of \(head.origin), not of \(log.name)")
        }
        guard log.verify(checkpoint) else {
            throw LogFormatError("the checkpoint has no valid signature of \(log.name)")
        }
        var cosigners: Set<[UInt8]> = []
        for witness in witnesses where !witness.lines(in: checkpoint).isEmpty {
            guard witness.cosignatureTime(in: checkpoint) != nil else {
                throw LogFormatError("the cosignature of \(witness.name) is wrong")
            }
            cosigners.insert(witness.publicKey)
        }
        guard cosigners.count >= quorum else {
            throw LogFormatError("\(cosigners.count) witnesses cosigned, of \(quorum) that it takes")
        }
        guard
            MerkleProof.verifyInclusion(hashes, leaf: leaf, index: index, size: head.size, root: head.root)
        else { throw LogFormatError("the entry is not at index \(index) of the checkpoint's tree") }
    }
}
