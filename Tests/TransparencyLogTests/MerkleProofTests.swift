import EnrollmentCore
import Testing

@testable import TransparencyLog

/// Proofs made from tiles are those of RFC 9162's recursions; what is not one of them is refused.
struct MerkleProofTests {
    @Test("every leaf of every tree up to 300 has a proof that verifies")
    func everyInclusion() {
        let tree = NaiveTree(300)
        for size in 1...300 {
            let root = tree.root(0..<size)
            for index in 0..<size {
                let proof = tree.path(index, 0..<size)
                let isIncluded = MerkleProof.verifyInclusion(
                    proof, leaf: tree.leaves[index], index: Int64(index), size: Int64(size), root: root)
                #expect(isIncluded, "\(index) of \(size)")
            }
        }
    }

    @Test("inclusion proofs from tiles, each read once", arguments: [1...40, 41...70, 200...300])
    func inclusionFromTiles(sizes: ClosedRange<Int>) async throws {
        let tree = NaiveTree(300)
        for size in sizes {
            let tiles = tree.tiles(size)
            let edges = [0, 1, size / 2, 127, 128, 255, 256, size - 2, size - 1].filter(
                Set(0..<size).contains)
            for index in size <= 70 ? Array(0..<size) : edges {
                let reader = StoredTiles(tiles)
                let proof = try await MerkleProof.inclusion(
                    index: Int64(index), size: Int64(size), from: reader)
                #expect(proof == tree.path(index, 0..<size), "\(index) of \(size)")
                #expect(reader.reads.values.allSatisfy { $0 == 1 })
            }
        }
    }

    @Test("proofs of trees with three levels of tiles", arguments: [65_535, 65_536, 65_537, 70_000])
    func large(size: Int) async throws {
        let tree = NaiveTree(size)
        let root = tree.root(0..<size)
        let tiles = tree.tiles(size)
        for index in [0, 255, 256, 32_768, 65_279, 65_534, size - 1] {
            let reader = StoredTiles(tiles)
            let proof = try await MerkleProof.inclusion(index: Int64(index), size: Int64(size), from: reader)
            #expect(proof == tree.path(index, 0..<size))
            #expect(reader.reads.values.allSatisfy { $0 == 1 } && reader.reads.count <= 5)
            #expect(
                MerkleProof.verifyInclusion(
                    proof, leaf: tree.leaves[index], index: Int64(index), size: Int64(size), root: root))
        }
        for old in [1, 255, 256, 257, 4_097, 65_279, 65_535] {
            let reader = StoredTiles(tiles)
            let proof = try await MerkleProof.consistency(from: Int64(old), to: Int64(size), from: reader)
            #expect(proof == tree.proof(old, size))
            #expect(reader.reads.values.allSatisfy { $0 == 1 } && reader.reads.count <= 5)
            #expect(
                MerkleProof.verifyConsistency(
                    proof, from: Int64(old), tree.root(0..<old), to: Int64(size), root))
        }
    }

    @Test("consistency of every two trees up to 70, and of no others")
    func consistency() async throws {
        let tree = NaiveTree(70)
        for size in 0...70 {
            let (root, tiles) = (tree.root(0..<size), StoredTiles(tree.tiles(size)))
            for old in 0...size {
                let oldRoot = tree.root(0..<old)
                let proof = try await MerkleProof.consistency(
                    from: Int64(old), to: Int64(size), from: tiles)
                #expect(proof == (old == 0 ? [] : tree.proof(old, size)), "\(old) to \(size)")
                func verifies(_ proof: [Digest], _ old: Int, _ oldRoot: Digest, _ root: Digest) -> Bool {
                    MerkleProof.verifyConsistency(proof, from: Int64(old), oldRoot, to: Int64(size), root)
                }
                #expect(verifies(proof, old, oldRoot, root), "\(old) to \(size)")
                #expect(!verifies(proof, old, Digest(of: [1]), root))
                // Any tree continues the empty one.
                #expect(verifies(proof, old, oldRoot, Digest(of: [1])) == (old == 0 && size > 0))
                #expect(!verifies(proof + [root], old, oldRoot, root))
                #expect(!verifies(proof, size + 1, oldRoot, root) && !verifies(proof, -1, oldRoot, root))
                for position in proof.indices {
                    #expect(!verifies(changed(proof, position), old, oldRoot, root))
                }
                if !proof.isEmpty {
                    #expect(!verifies(Array(proof.dropLast()), old, oldRoot, root))
                    #expect(!verifies(Array(proof.dropFirst()), old, oldRoot, root))
                }
            }
        }
    }

    @Test(
        "a changed inclusion proof, leaf, index or root is refused", arguments: [1, 2, 3, 7, 8, 13, 64, 257])
    func changedInclusion(size: Int) {
        let tree = NaiveTree(size)
        let root = tree.root(0..<size)
        for index in stride(from: 0, to: size, by: max(1, size / 16)) {
            let (proof, leaf) = (tree.path(index, 0..<size), tree.leaves[index])
            func verifies(_ proof: [Digest], _ leaf: Digest, _ index: Int, _ root: Digest) -> Bool {
                MerkleProof.verifyInclusion(
                    proof, leaf: leaf, index: Int64(index), size: Int64(size), root: root)
            }
            #expect(verifies(proof, leaf, index, root))
            for other in -1...size where other != index { #expect(!verifies(proof, leaf, other, root)) }
            #expect(!verifies(proof, Digest(of: [1]), index, root))
            #expect(!verifies(proof, leaf, index, Digest(of: [1])))
            #expect(!verifies(proof + [leaf], leaf, index, root))
            for position in proof.indices {
                #expect(!verifies(changed(proof, position), leaf, index, root))
                var shorter = proof
                shorter.remove(at: position)
                #expect(!verifies(shorter, leaf, index, root))
            }
        }
    }

    @Test("every octet of a proof counts")
    func everyOctet() throws {
        let tree = NaiveTree(13)
        let proof = tree.path(5, 0..<13)
        for position in proof.indices {
            for octet in 0..<32 {
                var bytes = proof[position].bytes
                bytes[octet] ^= 0x80
                var other = proof
                other[position] = try #require(Digest(bytes: bytes))
                #expect(
                    !MerkleProof.verifyInclusion(
                        other, leaf: tree.leaves[5], index: 5, size: 13, root: tree.root(0..<13)))
            }
        }
    }

    private func changed(_ proof: [Digest], _ position: Int) -> [Digest] {
        var proof = proof
        proof[position] = Digest(of: proof[position].bytes)
        return proof
    }

    @Test("limits of numbers")
    func limits() async throws {
        let tiles = StoredTiles(NaiveTree(5).tiles(5))
        for (index, size) in [(5, 5), (-1, 5), (0, 0), (0, -1), (Int64.max, Int64.max)] as [(Int64, Int64)] {
            await #expect(throws: LogFormatError.self) {
                try await MerkleProof.inclusion(index: index, size: size, from: tiles)
            }
        }
        for (old, size) in [(6, 5), (-1, 5), (0, -1)] as [(Int64, Int64)] {
            await #expect(throws: LogFormatError.self) {
                try await MerkleProof.consistency(from: old, to: size, from: tiles)
            }
        }
        await #expect(throws: StoredTiles.Missing.self) {
            try await MerkleProof.inclusion(index: 0, size: .max, from: tiles)
        }
        let narrow = StoredTiles(["tile/0/000.p/5": [MerkleHash.empty]])
        await #expect(throws: LogFormatError.self) {
            try await MerkleProof.inclusion(index: 0, size: 5, from: narrow)
        }
        let many = [Digest](repeating: MerkleHash.empty, count: 100)
        let (empty, last) = (MerkleHash.empty, Int64.max)
        #expect(!MerkleProof.verifyInclusion(many, leaf: empty, index: last - 1, size: last, root: empty))
        #expect(!MerkleProof.verifyConsistency(many, from: last - 1, empty, to: last, empty))
        #expect(!MerkleProof.verifyConsistency([], from: 0, MerkleHash.leaf([]), to: 1, MerkleHash.leaf([])))
        #expect(!MerkleProof.verifyConsistency([], from: 0, MerkleHash.leaf([]), to: 0, MerkleHash.leaf([])))
    }
}
