import EnrollmentCore

@testable import TransparencyLog

/// RFC 9162 §2.1 as its recursions are written, over leaves held in memory; and their tiles.
final class NaiveTree {
    let leaves: [Digest]
    private var known: [Range<Int>: Digest] = [:]

    /// The body of each entry is its index in decimal.
    init(_ count: Int) { leaves = (0..<count).map { MerkleHash.leaf(Array(String($0).utf8)) } }

    /// MTH(D[range]).
    func root(_ range: Range<Int>) -> Digest {
        if let root = known[range] { return root }
        guard range.count > 1 else { return range.isEmpty ? Digest(of: []) : leaves[range.lowerBound] }
        let middle = range.lowerBound + Self.split(range.count)
        let parts = root(range.lowerBound..<middle).bytes + root(middle..<range.upperBound).bytes
        let root = Digest(of: [1] + parts)
        known[range] = root
        return root
    }

    /// PATH(index, D[range]), the index counted from the start of the range.
    func path(_ index: Int, _ range: Range<Int>) -> [Digest] {
        guard range.count > 1 else { return [] }
        let split = Self.split(range.count)
        let (left, right) = (range.prefix(split), range.dropFirst(split))
        return index < split
            ? path(index, left) + [root(right)] : path(index - split, right) + [root(left)]
    }

    /// PROOF(old, D[0:size]).
    func proof(_ old: Int, _ size: Int) -> [Digest] { subproof(old, 0..<size, true) }

    private func subproof(_ old: Int, _ range: Range<Int>, _ isComplete: Bool) -> [Digest] {
        guard old < range.count else { return isComplete ? [] : [root(range)] }
        let split = Self.split(range.count)
        let (left, right) = (range.prefix(split), range.dropFirst(split))
        return old <= split
            ? subproof(old, left, isComplete) + [root(right)]
            : subproof(old - split, right, false) + [root(left)]
    }

    /// The largest power of two below `count`.
    private static func split(_ count: Int) -> Int {
        var split = 1
        while split * 2 < count { split *= 2 }
        return split
    }

    /// The octets of each tile a log of this size serves, by its path.
    func tiles(_ size: Int) -> [String: [Digest]] {
        var builder = TreeBuilder()
        var tiles = leaves[..<size].flatMap { builder.append($0) }
        tiles += builder.partialTiles
        return Dictionary(uniqueKeysWithValues: tiles.map { ($0.path, $0.hashes) })
    }
}
