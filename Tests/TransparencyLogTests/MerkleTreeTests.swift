import EnrollmentCore
import Testing

@testable import TransparencyLog

/// Hashes, roots and the tiles of a growing tree.
struct MerkleTreeTests {
    @Test("the edge and the builder have the root of RFC 9162 at every size")
    func roots() throws {
        let naive = NaiveTree(600)
        var edge = MerkleEdge()
        var builder = TreeBuilder()
        for size in 0...600 {
            #expect(edge.root() == naive.root(0..<size), "\(size)")
            #expect(builder.root() == naive.root(0..<size), "\(size)")
            #expect(edge.size == Int64(size) && builder.size == Int64(size))
            #expect(MerkleEdge(size: edge.size, subtrees: edge.subtrees) == edge)
            #expect(MerkleEdge(size: edge.size, subtrees: edge.subtrees + [MerkleHash.empty]) == nil)
            if size < 600 {
                edge.append(naive.leaves[size])
                _ = builder.append(naive.leaves[size])
            }
        }
        #expect(MerkleEdge(size: -1, subtrees: []) == nil)
        #expect(MerkleEdge(size: .max, subtrees: [Digest](repeating: MerkleHash.empty, count: 63)) == nil)
    }

    /// Leaves and roots of Certificate Transparency's test tree: LeafInputs and RootHashes of
    /// github.com/transparency-dev/merkle, testonly/constants.go (Apache-2.0).
    @Test("the tree of eight leaves that Certificate Transparency tests with")
    func certificateTransparency() throws {
        let inputs = [
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        var edge = MerkleEdge()
        #expect(edge.root().description == roots[0])
        #expect(MerkleHash.empty.description == roots[0])
        for (input, root) in zip(inputs, roots.dropFirst()) {
            edge.append(MerkleHash.leaf(try #require(Hex.decode(input))))
            #expect(edge.root().description == root)
        }
    }

    @Test("an inclusion and a consistency proof of that tree, from its node hashes")
    func certificateTransparencyProofs() throws {
        func digests(_ hex: String...) throws -> [Digest] { try hex.map { try #require(Digest($0)) } }
        let root8 = try digests("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")[0]
        let root6 = try digests("76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef")[0]
        let inclusion = try digests(
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")
        let leaf = MerkleHash.leaf([0x40, 0x41, 0x42, 0x43])
        #expect(MerkleProof.verifyInclusion(inclusion, leaf: leaf, index: 5, size: 8, root: root8))
        let consistency = try digests(
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7")
        #expect(MerkleProof.verifyConsistency(consistency, from: 6, root6, to: 8, root8))
    }

    @Test(
        "tiles hold the subtrees tlog-tiles says, and the builder goes on from them",
        arguments: [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_792, 70_000])
    func tiles(size: Int) throws {
        let naive = NaiveTree(size + 300)
        let tiles = naive.tiles(size)
        for (path, hashes) in tiles {
            let address = try #require(Tile.address(of: path))
            #expect(address.width == hashes.count)
            let span = 1 << (8 * address.level)
            for (offset, hash) in hashes.enumerated() where offset % 85 == 0 || address.level > 0 {
                let start = (Int(address.index) * 256 + offset) * span
                #expect(hash == naive.root(start..<(start + span)), "\(path) \(offset)")
            }
        }
        var asked: [String] = []
        var builder = try TreeBuilder(size: Int64(size)) { address in
            asked.append(address.path)
            return try #require(tiles[address.path])
        }
        #expect(Set(asked) == Set(tiles.keys.filter { $0.contains(".p/") }) && asked.count <= 3)
        #expect(builder.root() == naive.root(0..<size))
        var later = Set(tiles.keys.filter { !$0.contains(".p/") })
        for leaf in naive.leaves[size...] { later.formUnion(builder.append(leaf).map(\.path)) }
        #expect(builder.root() == naive.root(0..<(size + 300)))
        #expect(later == Set(naive.tiles(size + 300).keys.filter { !$0.contains(".p/") }))
    }

    @Test("the example of tlog-tiles: a tree of 70,000")
    func seventyThousand() {
        let tiles = NaiveTree(70_000).tiles(70_000)
        #expect(tiles.count == 273 + 1 + 1 + 1 + 1)
        #expect(tiles["tile/0/x000/273.p/112"] == nil && tiles["tile/0/273.p/112"]?.count == 112)
        #expect(tiles["tile/1/000"]?.count == 256 && tiles["tile/1/001.p/17"]?.count == 17)
        #expect(tiles["tile/2/000.p/1"]?.count == 1)
    }

    @Test("a builder refuses tiles of another width", arguments: [0, 1, 3, 256])
    func wrongWidth(count: Int) {
        #expect(throws: LogFormatError.self) {
            try TreeBuilder(size: 2) { _ in [Digest](repeating: MerkleHash.empty, count: count) }
        }
        #expect(throws: LogFormatError.self) { try TreeBuilder(size: -1) { _ in [] } }
    }

    @Test("octets of tiles")
    func octets() {
        let hashes = (0..<256).map { Digest(of: [UInt8($0)]) }
        let tile = Tile(level: 0, index: 3, hashes: hashes)
        #expect(tile.octets.count == 8_192 && Tile.hashes(in: tile.octets) == hashes)
        #expect(Tile.hashes(in: []) == nil && Tile.hashes(in: tile.octets.dropLast()) == nil)
        #expect(Tile.hashes(in: tile.octets + tile.octets) == nil)
    }

    @Test(
        "paths of tlog-tiles",
        arguments: [
            ("tile/0/000", 0, 0, 256), ("tile/0/x001/x234/067", 0, 1_234_067, 256),
            ("tile/1/001.p/17", 1, 1, 17), ("tile/0/x001/000.p/255", 0, 1_000, 255),
            ("tile/63/999", 63, 999, 256),
            ("tile/0/x009/x223/x372/x036/x854/x775/807.p/1", 0, Int64.max, 1),
        ])
    func paths(path: String, level: Int, index: Int64, width: Int) throws {
        let address = try #require(Tile.address(of: path))
        #expect(address == TileAddress(level: level, index: index, width: width))
        #expect(address.path == path)
    }

    @Test(
        "what is no path",
        arguments: [
            "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000",
            "tile/64/000", "tile/-1/000", "tile/+1/000", "tile/0/-01", "tile/0/+01", "tile/0/x000/000",
            "tile/0/x001", "tile/0/001/000", "tile/0/x001/x000", "tile/0/000.p", "tile/0/000.p/",
            "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/-1", "tile/0/.p/1",
            "tile/0/000/1", "tile/entries/000", "/tile/0/000", "tile/0/000/", "Tile/0/000", "tile/0/00 ",
            "tile/0/x01/000", "tile/0/x0001/000", "tile/0/x009/x223/x372/x036/x854/x775/808",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999", "tile/8/0/000",
            "tile/0/٠٠٠", "tile/0/000.p\u{301}/1", "tile/0/../000",
        ])
    func noPath(path: String) { #expect(Tile.address(of: path) == nil) }
}
