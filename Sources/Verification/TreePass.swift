import EnrollmentCore
import TransparencyLog

/// Builds the tree again from its leaves and compares everything that was ever said about it.
struct TreePass {
    private let evidence: any Evidence
    private let options: VerificationOptions
    private(set) var tree = TreeBuilder()
    /// All leaves: what the bodies must come to.
    private(set) var leaves = KeyedSum()
    private(set) var checkpoints: CheckpointCheck
    /// Sizes of all checkpoints that are no larger than the tree.
    private(set) var published: Set<Int64> = []

    private var head: StoredHead?
    private var newestHead: Int64 = 0
    /// The earliest time in the ids of the leaves behind the newest checkpoint; nil when there are none.
    private var uncovered: Timestamp?
    private var tile: StoredTile?
    private var checkpoint: StoredCheckpoint?
    private var anchors: ArraySlice<VerificationOptions.Anchor>
    private var isContiguous = true

    init(_ evidence: any Evidence, _ options: VerificationOptions) throws(VerificationError) {
        self.evidence = evidence
        self.options = options
        anchors = options.anchors.sorted { $0.checkpoint.size < $1.checkpoint.size }[...]
        checkpoints = CheckpointCheck(options, count: evidence.checkpointCount)
        head = try evidence.nextHead()
        tile = try evidence.nextTile()
        checkpoint = try evidence.nextCheckpoint()
    }

    /// Reads so many leaves.
    ///
    /// - Returns: false after the last.
    mutating func advance(by most: Int, _ findings: inout Findings) throws(VerificationError) -> Bool {
        if tree.size == 0 { try compare(&findings) }
        for _ in 0..<most {
            guard let leaf = try evidence.nextLeaf() else { return false }
            if leaf.index != tree.size, isContiguous {
                isContiguous = false
                findings.violate(.log, "leaf \(tree.size)", "the next leaf that is there is \(leaf.index)") {
                    tree.size
                }
            }
            leaves.add(leaf.name, leaf.hash)
            if evidence.hasTables {
                let instant = RecordID(leaf.name).instant
                uncovered = min(uncovered ?? instant, instant)
            }
            for tile in tree.append(leaf.hash) { try compare(tile, &findings) }
            try compare(&findings)
        }
        return true
    }

    // MARK: What was said of the tree at this size

    private mutating func compare(_ findings: inout Findings) throws(VerificationError) {
        while let head, head.size <= tree.size {
            if head.size != tree.size || head.root != tree.root() {
                findings.violate(.log, "tree head \(head.size)", "another root than its leaves have") {
                    head.size.lastLeaf
                }
            }
            newestHead = head.size
            self.head = try evidence.nextHead()
        }
        while let size = checkpoint?.size, size <= tree.size, let stored = checkpoint {
            checkpoints.take(stored, stored.size == tree.size ? tree.root() : nil, &findings)
            published.insert(stored.size)
            if stored.size == tree.size { uncovered = nil }
            checkpoint = try evidence.nextCheckpoint()
        }
        while let size = anchors.first?.checkpoint.size, size <= tree.size, let anchor = anchors.first {
            findings.count(.l13)
            if anchor.checkpoint.size < 0 || anchor.checkpoint.root != tree.root() {
                let fault = "the first \(anchor.checkpoint.size) leaves are not those that were published"
                findings.violate(.l13, anchor.name, fault)
            }
            anchors.removeFirst()
        }
    }

    private mutating func compare(_ expected: Tile, _ findings: inout Findings) throws(VerificationError) {
        guard evidence.hasTables else { return }
        let due = expected.completedAt
        // Tiles that should not be there come before those that should.
        while let stored = tile,
            stored.completedAt < due
                || stored.completedAt == due
                    && stored.level < expected.level
        {
            superfluous(stored, &findings)
            tile = try evidence.nextTile()
        }
        let place = expected.address.path
        guard let stored = tile, stored.level == expected.level, stored.index == expected.index else {
            return findings.violate(.log, place, "this tile is missing") { expected.firstLeaf }
        }
        if stored.hashes != expected.octets {
            let wrong = zip(expected.octets, stored.hashes).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
            findings.violate(.log, place, "hash \(wrong / 32) of this tile is not the tree's") {
                expected.firstLeaf + Int64(wrong / 32) << Int64(8 * expected.level)
            }
        }
        tile = try evidence.nextTile()
    }

    private func superfluous(_ tile: StoredTile, _ findings: inout Findings) {
        findings.violate(.log, "tile \(tile.level)/\(tile.index)", "there is no such tile in the tree")
    }

    /// Compares what is left when there are no more leaves.
    mutating func finish(_ findings: inout Findings) throws(VerificationError) {
        findings.count(.log, Int(clamping: tree.size))
        while let stored = tile {
            superfluous(stored, &findings)
            tile = try evidence.nextTile()
        }
        var largest: (size: Int64, name: String)?
        func published(_ size: Int64, _ name: String) {
            if size > largest?.size ?? 0 { largest = (size, name) }
        }
        if evidence.hasTables, head == nil, newestHead < tree.size {
            let fault = "the newest tree head is of \(newestHead) leaves, \(tree.size) are here"
            findings.violate(.log, "the log", fault) { newestHead }
        }
        while let ahead = head {
            published(ahead.size, "tree head \(ahead.size)")
            head = try evidence.nextHead()
        }
        while let ahead = checkpoint {
            published(ahead.size, "checkpoint \(ahead.size)")
            checkpoint = try evidence.nextCheckpoint()
        }
        if let largest { lost(largest.size, largest.name, &findings) }
        for anchor in anchors {
            findings.count(.l13)
            lost(anchor.checkpoint.size, anchor.name, &findings)
        }
        if options.anchors.isEmpty {
            findings.skip(.l13, because: "no older checkpoint was given: --against")
        }
        // An export ends at its newest checkpoint; a log may be some seconds ahead of it.
        let age = uncovered.map { options.now.seconds(since: $0) } ?? 0
        checkpoints.finish(treeSize: tree.size, isDue: !evidence.hasTables || age > 60, &findings)
    }

    private func lost(_ size: Int64, _ name: String, _ findings: inout Findings) {
        findings.violate(
            .l13, name,
            "\(size) leaves were published, \(tree.size) are here: \(tree.size) to \(size - 1) are gone"
        ) { tree.size }
    }
}

extension Tile {
    /// The size of the tree that has this tile first.
    fileprivate var completedAt: Double { Tile.size(level: Int64(level), index: index) }
    fileprivate var firstLeaf: Int64 { index << Int64(8 * (level + 1)) }

    fileprivate static func size(level: Int64, index: Int64) -> Double {
        (0...max(0, min(level, 8))).reduce(Double(index) + 1) { size, _ in size * 256 }
    }
}

extension StoredTile {
    fileprivate var completedAt: Double { Tile.size(level: level, index: index) }
}
