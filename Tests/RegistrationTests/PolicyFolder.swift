import EnrollmentCore
import EnrollmentTesting
import Foundation
import Ledger
import Policy
import Registration

/// A directory of policy files that a test may spoil; gone with its last reference.
final class PolicyFolder: Sendable {
    let path: String

    /// A copy of the starter bundle.
    init() throws {
        path =
            FileManager.default.temporaryDirectory.appending(path: "gatehouse-policies-\(Self.name())").path
        try restore()
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var directory: PolicyDirectory { PolicyDirectory(path: path) }

    /// Makes it the starter bundle again.
    func restore() throws {
        try? FileManager.default.removeItem(atPath: path)
        for file in try Self.starter() { try write(file.bytes, to: file.path) }
    }

    /// Makes it another good bundle; each number another.
    func amend(_ number: Int) throws {
        try restore()
        try append("# amendment \(number)\n")
    }

    /// Makes it another good bundle, which says something else: one rule has another title.
    func retitle(_ title: String) throws {
        try restore()
        let rule = "rules/never-jailbroken.yaml"
        let lines = try String(contentsOfFile: "\(path)/\(rule)", encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("title:") ? "title: \(title)" : String($0) }
        try write(Array(lines.joined(separator: "\n").utf8), to: rule)
    }

    /// Adds a file of one octet.
    func add(_ file: String) throws { try write([0x0a], to: file) }

    /// Makes it a bundle that does not load.
    func spoil() throws {
        try restore()
        try append("nonsense: true\n")
    }

    private func append(_ line: String) throws {
        let text = try String(contentsOfFile: "\(path)/owners.yaml", encoding: .utf8) + line
        try write(Array(text.utf8), to: "owners.yaml")
    }

    func apply(_ fault: BrokenBundle) throws {
        try restore()
        for path in fault.deleted { try FileManager.default.removeItem(atPath: "\(self.path)/\(path)") }
        for (path, bytes) in fault.files { try write(bytes, to: path) }
    }

    func replace(_ old: String, by new: String, in file: String) throws {
        let text = try String(contentsOfFile: "\(path)/\(file)", encoding: .utf8)
        try write(Array(text.replacingOccurrences(of: old, with: new).utf8), to: file)
    }

    private func write(_ bytes: [UInt8], to file: String) throws {
        let target = URL(fileURLWithPath: "\(path)/\(file)")
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: target)
    }

    static func starter() throws -> [BundleFile] {
        try BundleFile.read(directory: repository.appending(path: "policies").path)
    }

    static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func name() -> String { Hex.encode(FreshRandom().octets(8)) }
}

/// A bundle that must not come into force, as what it changes in the starter bundle.
struct BrokenBundle: Sendable {
    let name: String
    let files: [(path: String, bytes: [UInt8])]
    let deleted: [String]

    /// Every folder of Tests/Vectors/broken-bundles, by name.
    static func all() throws -> [BrokenBundle] {
        let root = PolicyFolder.repository.appending(path: "Tests/Vectors/broken-bundles").path
        return try FileManager.default.contentsOfDirectory(atPath: root).sorted().compactMap { name in
            let folder = "\(root)/\(name)"
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory),
                isDirectory.boolValue
            else { return nil }
            let deleted = try? String(contentsOfFile: "\(folder)/deleted.txt", encoding: .utf8)
            return BrokenBundle(
                name: name, files: try files(in: folder),
                deleted: (deleted ?? "").split(separator: "\n").map(String.init))
        }
    }

    private static func files(in folder: String) throws -> [(path: String, bytes: [UInt8])] {
        guard let walk = FileManager.default.enumerator(atPath: folder) else { return [] }
        var files: [(path: String, bytes: [UInt8])] = []
        for case let path as String in walk where path != "expected.txt" && path != "deleted.txt" {
            var isDirectory: ObjCBool = false
            let location = "\(folder)/\(path)"
            guard FileManager.default.fileExists(atPath: location, isDirectory: &isDirectory),
                !isDirectory.boolValue
            else { continue }
            files.append((path, Array(try Data(contentsOf: URL(fileURLWithPath: location)))))
        }
        return files
    }
}

/// Unpredictable octets, since several gateways of one test must not name two facts alike.
struct FreshRandom: RandomSource {
    func octets(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255) } }
}
