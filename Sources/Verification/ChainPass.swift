import EnrollmentCore
import Simulation
import TransparencyLog

/// Reads every body once, by request, and checks what the bodies of one request say of each other. What
/// concerns several requests is noted and checked at the end.
struct ChainPass {
    let evidence: any Evidence
    let replay: ReplayCheck?
    let now: Timestamp

    /// Entries as read: to be equal to the leaves.
    private(set) var bodies = KeyedSum()
    var serials = Once()
    var uses = Once()
    /// Uses that reservations rest on: found at the end.
    var grants = Once()
    var rests: [(use: Mark, request: RecordID)] = []
    var tenures: [Tenure] = []
    /// Entries that say a month was retired, with their leaf.
    private(set) var retentions: [(entry: ReadEntry, leaf: Int64?)] = []
    private var redacted: Set<Digest> = []
    private var clearValues = 0
    fileprivate var missingValues: [(commitment: Digest, entry: ReadEntry)] = []
    /// Of which request a redacted value was, by the tables.
    var redactedFrom: [(commitment: Digest, request: RecordID)] = []
    /// Generations of the log that somebody's act began.
    private(set) var generations: Set<Int> = []
    private(set) var read = 0

    /// What approvers said, and on which of it permits rest.
    var words: Set<Mark> = []
    var citations: [Citation] = []

    init(_ evidence: any Evidence, replay: ReplayCheck?, now: Timestamp) {
        self.evidence = evidence
        self.now = now
        self.replay = replay
    }

    /// Reads so many entries, and those that belong to the last of them.
    ///
    /// - Returns: false after the last.
    mutating func advance(by most: Int, _ findings: inout Findings) throws(VerificationError) -> Bool {
        let end = read + most
        while read < end {
            guard let chain = try evidence.nextChain() else { return false }
            try take(chain, &findings)
        }
        return true
    }

    private mutating func take(_ chain: EvidenceChain, _ findings: inout Findings) throws(VerificationError) {
        var entries: [ReadEntry] = []
        entries.reserveCapacity(chain.entries.count)
        for place in chain.entries.indices {
            let known = ReadEntry(chain.entries[place])
            read += 1
            findings.count(.l8)
            let hash = MerkleHash.leaf(known.entry.body)
            bodies.add(known.entry.name, hash)
            if let stored = known.entry.storedHash, stored != hash {
                try violate(.l8, known, "entry.leaf_hash is not the hash of its body", &findings)
            }
            if let fault = known.fault { try violate(.l9, known, fault, &findings) }
            if let fault = known.entry.recordingTime?.fault(at: now) {
                try violate(.l10, known, fault, &findings)
            }
            try take(private: known, chain, &findings)
            // Equal ones of one request stand side by side; of two requests, a leaf is missed (L8). An export
            // has no ids of its own.
            if evidence.hasTables, entries.last?.entry.id == known.entry.id {
                try violate(.l9, known, "another entry has its id", &findings)
            }
            entries.append(known)
        }
        clearValues += chain.privateValues.count
        try takeUnnamedValues(chain, entries, &findings)
        let records = RequestRecords(chain, entries)
        if evidence.hasTables { try TypedCheck(records).run(&self, &findings) }
        try take(records, &findings)
        for entry in entries { try takeAlone(entry) }
    }

    /// Notes a violation at an entry.
    func violate(_ invariant: Invariant, _ entry: ReadEntry, _ fault: String, _ findings: inout Findings)
        throws(VerificationError)
    {
        try findings.violate(invariant, entry.place, fault) { () throws(VerificationError) in
            try leafIndex(entry)
        }
    }

    private func leafIndex(_ entry: ReadEntry) throws(VerificationError) -> Int64? {
        if let index = entry.entry.leafIndex { return index }
        return try evidence.leafIndex(ofEntry: entry.entry.id)
    }

    // MARK: Records of the ledger's own keeping

    private mutating func takeAlone(_ entry: ReadEntry) throws(VerificationError) {
        guard let body = entry.body else { return }
        switch entry.kind {
        case .retention?: retentions.append((entry, try leafIndex(entry)))
        case .redaction?: redacted.formUnion(body.commitments.compactMap { Digest(bytes: $0) })
        case .rollback?:
            if let number = body.text("generation").flatMap({ Int($0) }) { generations.insert(number) }
        case .request?, .decision?, .reservation?, .certificate?, .failure?, .revocation?, .credential?,
            .account?, .policy?, .admin?, .alert?, .approval?, nil:
            return
        }
    }

    private mutating func take(private entry: ReadEntry, _ chain: EvidenceChain, _ findings: inout Findings)
        throws(VerificationError)
    {
        for (_, commitment) in entry.commitments {
            findings.count(.privacy)
            guard let value = chain.privateValues.first(where: { $0.commitment == commitment.digest }) else {
                missingValues.append((commitment.digest, entry))
                continue
            }
            if !value.isSound {
                try violate(
                    .privacy, entry, "private_value \(commitment.digest) is not what was committed to",
                    &findings)
            }
        }
    }

    /// Every private value is one that a body of its request commits to.
    private func takeUnnamedValues(
        _ chain: EvidenceChain, _ entries: [ReadEntry], _ findings: inout Findings
    ) throws(VerificationError) {
        for value in chain.privateValues {
            let isNamed = entries.contains { entry in
                entry.commitments.contains { $0.1.digest == value.commitment }
            }
            guard !isNamed else { continue }
            findings.violate(
                .privacy, "private_value \(value.commitment.map { $0.description } ?? "without digest")",
                "no body of its request commits to it")
        }
    }

    /// What could only be said once everything was read.
    mutating func finish(_ retired: RetiredMonths, _ findings: inout Findings) throws(VerificationError) {
        // Who leaves values out leaves out all of them: one that is there makes the claim a lie.
        let isWithoutValues = evidence.isWithoutPrivateValues && clearValues == 0
        if isWithoutValues {
            findings.skip(.privacy, because: "private values were left out of this export")
        } else if evidence.isWithoutPrivateValues {
            let fault = "it says that private values were left out: some are here"
            findings.violate(.privacy, "manifest.json", fault)
        }
        var redactions = 0
        for (commitment, entry) in missingValues {
            if redacted.contains(commitment) {
                redactions += 1
            } else if !isWithoutValues {
                try violate(
                    .privacy, entry, "the value of \(commitment) is gone without a redaction",
                    &findings)
            }
        }
        if redactions > 0 { findings.note(.privacy, "\(redactions) redacted") }
        finishRedactions(&findings)
        try finishUses(&findings)
        try finishCitations(retired, &findings)
        finishTenures(&findings)
        replay?.finish(because: isWithoutValues ? "private values left out" : "redacted", &findings)
    }
}

extension ChainPass {
    /// Each redacted value was of the request that the tables name.
    private func finishRedactions(_ findings: inout Findings) {
        guard !redactedFrom.isEmpty else { return }
        let owners = Dictionary(
            missingValues.map { ($0.commitment, $0.entry.entry.request) },
            uniquingKeysWith: { first, _ in first })
        for (commitment, request) in redactedFrom {
            guard let owner = owners[commitment], owner != request else { continue }
            findings.violate(
                .l9, "redacted_commitment \(commitment)",
                "redacted_commitment.request_id is not the request it stood in")
        }
    }
}

extension EntryKind {
    /// Names are short: to compare one is quicker than to hash it.
    fileprivate static let named = allCases.map { (name: $0.rawValue, kind: $0) }
}

/// An entry with its body taken apart.
final class ReadEntry {
    let entry: EvidenceEntry
    /// Nil when there is no such kind.
    let kind: EntryKind?
    /// Nil when it cannot be read.
    let body: RecordMembers?
    /// The kind, if the body can be read.
    let readKind: EntryKind?
    /// Where the body has commitments to personal values; what a redaction names is none.
    let commitments: [(place: Range<Int>, commitment: Commitment)]

    init(_ entry: EvidenceEntry) {
        kind = EntryKind.named.first { $0.name == entry.kind }?.kind
        var strings: [Range<Int>] = []
        body = try? RecordMembers(entry.body, noting: Commitment.quotedLength, in: &strings)
        readKind = body == nil ? nil : kind
        commitments = kind == .redaction ? [] : Commitment.found(in: entry.body, at: strings)
        // Last: what is not needed any more need not be copied.
        self.entry = entry
    }

    /// For people: `decision of request 0197…`.
    var place: String {
        guard let request = entry.request else { return "\(entry.kind) entry \(entry.id.text)" }
        return "\(entry.kind) of request \(request.text)"
    }

    /// What is wrong with the entry by itself.
    var fault: String? {
        guard let kind else { return "entry.kind is \(entry.kind), which no entry is" }
        guard let body else { return "its body cannot be read" }
        guard kind.fits(body) else { return "entry.kind is \(entry.kind), its body is of another kind" }
        switch kind {
        case .request, .decision, .reservation, .certificate, .failure, .account, .approval, .credential,
            .revocation:
            return body.isUUID("request_id", entry.request?.number)
                ? nil : "entry.request_id is not what its body says"
        case .alert:
            // Of the requests that it names, if any, it belongs to one.
            let named = (body.text("request_ids") ?? "").split(separator: " ")
            let isNamed = entry.request.map(\.text).map { request in named.contains { $0 == request } }
            return isNamed ?? named.isEmpty ? nil : "entry.request_id is none of its body's"
        case .redaction:
            return body.isUUID("request_id", entry.request?.number)
                ? nil : "entry.request_id is not what its body says"
        case .policy, .admin, .retention, .rollback:
            return entry.request == nil ? nil : "entry.request_id is not what its body says"
        }
    }
}

extension RecordMembers {
    /// The digests that a redaction names.
    var commitments: [[UInt8]] {
        (text("commitments") ?? "").split(separator: " ").compactMap { Hex.decode(String($0)) }
    }
}
