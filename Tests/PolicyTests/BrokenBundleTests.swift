import Foundation
import Testing

@testable import Policy

/// The starter bundle broken in one way: a folder of `Tests/Vectors/broken-bundles`.
struct BrokenBundle: Sendable, CustomTestStringConvertible {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Vectors/broken-bundles").resolvingSymlinksInPath().path(percentEncoded: false)

    let name: String
    var testDescription: String { name }
    private var directory: String { Self.root + "/" + name }

    static let all: [BrokenBundle] = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
        .filter { !$0.contains(".") }.sorted().map { BrokenBundle(name: $0) }

    private func lines(_ file: String) -> [String] {
        let content = FileManager.default.contents(atPath: directory + "/" + file) ?? Data()
        return String(decoding: content, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Every diagnostic, one a line.
    var expected: [String] { lines("expected.txt") }

    /// The files that are laid over the starter bundle, whatever they end in.
    func overlay() throws -> [BundleFile] {
        let found = try #require(FileManager.default.enumerator(atPath: directory))
        return try found.compactMap { $0 as? String }
            .filter { path in
                var isDirectory: ObjCBool = false
                return path != "expected.txt" && path != "deleted.txt"
                    && FileManager.default.fileExists(
                        atPath: directory + "/" + path, isDirectory: &isDirectory)
                    && !isDirectory.boolValue
            }
            .map {
                BundleFile(path: $0, bytes: Array(try Data(contentsOf: URL(filePath: directory + "/" + $0))))
            }
    }

    func files() throws -> [BundleFile] {
        let overlay = try overlay()
        let deleted = lines("deleted.txt")
        let rest = try StarterBundle.files().filter { file in
            !overlay.contains { $0.path == file.path }
                && !deleted.contains { $0.hasSuffix("/") ? file.path.hasPrefix($0) : file.path == $0 }
        }
        return rest + overlay
    }

    /// What is said of it as a directory.
    func diagnostics() throws -> [String] {
        let folder = try BundleFolder(files())
        do throws(PolicyLoadError) {
            _ = try PolicyBundle(files: BundleFile.read(directory: folder.path))
            return []
        } catch {
            return error.diagnostics.map(\.description)
        }
    }
}

/// A directory of these files; gone with its last reference.
final class BundleFolder {
    let path: String

    init(_ files: [BundleFile]) throws {
        let root = FileManager.default.temporaryDirectory.appending(
            path: "bundle-\(UInt64.random(in: 0...UInt64.max))")
        path = root.path(percentEncoded: false)
        for file in files {
            let target = root.appending(path: file.path)
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(file.bytes).write(to: target)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

struct BrokenBundleTests {
    @Test(arguments: BrokenBundle.all)
    func saysWhatIsWrong(_ broken: BrokenBundle) throws {
        let diagnostics = try broken.diagnostics()
        #expect(!diagnostics.isEmpty)
        #expect(diagnostics == broken.expected)
    }

    @Test func thereAreManyOfThem() { #expect(BrokenBundle.all.count >= 60) }

    /// One run names the faults of every file, whichever stage finds them.
    @Test func allStagesReportTogether() throws {
        let files = try BrokenBundle(name: "many-faults").diagnostics().map { $0.prefix { $0 != ":" } }
        #expect(Set(files).count == 4, "\(files)")
    }
}
