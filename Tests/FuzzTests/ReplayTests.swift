import Foundation
import Fuzz
import Testing

/// Every seed and every input that once was a fault goes through its body again.
struct ReplayTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appending(path: "Fuzz")

    private static func contents(_ kind: String, _ name: String) throws -> [[UInt8]] {
        let folder = folder.appending(path: "\(kind)/\(name)").resolvingSymlinksInPath()
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try (files ?? []).sorted { $0.path < $1.path }.map { Array(try Data(contentsOf: $0)) }
    }

    /// The seeds of the policy body, as scripts/fuzz makes them: each file of the starter bundle behind a
    /// line that names it.
    private static func policies() throws -> [[UInt8]] {
        let bundle = folder.appending(path: "../../policies").standardizedFileURL.resolvingSymlinksInPath()
        let paths = try FileManager.default.subpathsOfDirectory(atPath: bundle.path).sorted()
        return try paths.filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.map { path in
            Array("\(path)\n".utf8) + Array(try Data(contentsOf: bundle.appending(path: path)))
        }
    }

    @Test("every body has seeds, and returns from them", arguments: FuzzBody.all.map(\.name))
    func seeds(name: String) throws {
        let body = try #require(FuzzBody.named(name))
        let seeds = try name == "Policy" ? Self.policies() : Self.contents("corpus", name)
        #expect(!seeds.isEmpty)
        for seed in seeds { body.run(seed) }
    }

    @Test("no body traps on what was found before", arguments: FuzzBody.all.map(\.name))
    func regressions(name: String) throws {
        let body = try #require(FuzzBody.named(name))
        for input in try Self.contents("regressions", name) { body.run(input) }
    }

    @Test("no folder is left without a body")
    func folders() throws {
        for kind in ["corpus", "regressions"] {
            let path = Self.folder.appending(path: kind).path
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            where !name.hasPrefix(".") {
                #expect(FuzzBody.named(name) != nil, "\(kind)/\(name)")
            }
        }
    }
}
