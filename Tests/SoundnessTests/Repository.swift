import Foundation

/// One fault of the code base, printed as `file:line: message`.
struct Finding: Hashable, CustomStringConvertible {
    let file: String
    /// Counted from 1; 0 when the fault is the file's, not a line's.
    let line: Int
    let message: String

    var description: String { "\(file):\(line): \(message)" }
}

/// A text of the checkout, by its path below the root.
struct TextFile {
    let path: String
    let lines: [String]

    init(path: String, text: String) {
        self.path = path
        self.lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }
    var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }
}

/// The checkout the tests were built from.
struct Repository {
    let root: URL
    let texts: [TextFile]
    let sources: [SwiftSource]

    /// Reads everything once; build products, state directories and test vectors are not looked at.
    static let checkout: Repository = {
        let here = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        let root = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return Repository(root: root)
    }()

    private init(root: URL) {
        self.root = root
        var texts: [TextFile] = []
        for path in Repository.paths(below: root).sorted() {
            guard let data = FileManager.default.contents(atPath: root.appendingPathComponent(path).path),
                data.count < 1 << 20, let text = String(data: data, encoding: .utf8)
            else { continue }
            texts.append(TextFile(path: path, text: text))
        }
        self.texts = texts
        self.sources = texts.filter { $0.path.hasSuffix(".swift") }.map(SwiftSource.init)
    }

    /// Swift files below `Sources/`.
    var productSources: [SwiftSource] { sources.filter { $0.path.hasPrefix("Sources/") } }

    func text(_ path: String) -> TextFile? { texts.first { $0.path == path } }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
    }

    private static func paths(below root: URL) -> [String] {
        var found: [String] = []
        func visit(_ folder: String) {
            let names = try? FileManager.default.contentsOfDirectory(
                atPath: root.appendingPathComponent(folder).path)
            for name in names ?? [] where !isSkipped(name) {
                let path = folder.isEmpty ? name : "\(folder)/\(name)"
                var isFolder: ObjCBool = false
                _ = FileManager.default.fileExists(
                    atPath: root.appendingPathComponent(path).path, isDirectory: &isFolder)
                if isFolder.boolValue { visit(path) } else { found.append(path) }
            }
        }
        visit("")
        return found
    }

    private static func isSkipped(_ name: String) -> Bool {
        let folders = [".git", ".gatehouse", ".swiftpm", "__pycache__", "Vectors", "corpus", "regressions"]
        return folders.contains(name) || name.hasPrefix(".build")
            || name.hasSuffix(".xcodeproj") || name == "Package.resolved"
    }
}
