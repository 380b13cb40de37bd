import Foundation
import Fuzz
import Testing

/// Every seed and every input that once was a fault goes through its body again.
struct ReplayTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appending(path: "Fuzz")

    private static func inputs(_ kind: String, _ name: String) -> [URL] {
        let folder = folder.appending(path: "\(kind)/\(name)").resolvingSymlinksInPath()
        let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return (files ?? []).sorted { $0.path < $1.path }
    }

    @Test("every body has seeds, and returns from them", arguments: FuzzBody.all.map(\.name))
    func seeds(name: String) throws {
        let body = try #require(FuzzBody.named(name))
        let inputs = Self.inputs("corpus", name)
        #expect(!inputs.isEmpty)
        for input in inputs { body.run(Array(try Data(contentsOf: input))) }
    }

    @Test("no body traps on what was found before", arguments: FuzzBody.all.map(\.name))
    func regressions(name: String) throws {
        let body = try #require(FuzzBody.named(name))
        for input in Self.inputs("regressions", name) { body.run(Array(try Data(contentsOf: input))) }
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
