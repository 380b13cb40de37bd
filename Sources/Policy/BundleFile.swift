package import EnrollmentCore
import Foundation

/// One file of a policy bundle.
package struct BundleFile: Sendable, Hashable {
    /// Relative to the bundle's directory with `/` between its parts, e.g. `catalog/services.yaml`.
    package let path: String
    package let bytes: [UInt8]

    /// The largest file a bundle may hold, in octets.
    package static let maximumSize = 1 << 20
    /// How many files a bundle may hold.
    package static let maximumCount = 4_096

    /// - Parameters: as the properties; nothing is checked before the bundle is loaded.
    package init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }

    /// The YAML files below `directory`, sorted by path. Outside `rules/` and `catalog/` everything else (a
    /// README, dot files) is passed over; inside, it is refused.
    ///
    /// - Throws: when the directory or a file cannot be read, is a symbolic link, is out of bounds, or is
    ///   where only rules, cases or the catalog belong and is none of them.
    package static func read(directory: String) throws(PolicyLoadError) -> [BundleFile] {
        let faults = DiagnosticCollector()
        var files: [BundleFile] = []
        visit(directory: directory, prefix: "", depth: 0, files: &files, faults)
        if files.count > maximumCount {
            faults.report(file: directory, "more than \(maximumCount) files")
        }
        try faults.throwIfAny()
        return files.sorted { $0.path < $1.path }
    }

    /// The files that a bundle's `canonicalBytes` were made of, sorted by path; nil when they are no such
    /// bytes.
    package static func files(fromCanonical bytes: [UInt8]) -> [BundleFile]? {
        let decoded = try? JSONDecoder().decode([String: [String: String]].self, from: Data(bytes))
        return decoded?["files"]?.map { BundleFile(path: $0.key, bytes: Array($0.value.utf8)) }
            .sorted { $0.path < $1.path }
    }

    /// Whether a file or directory of that path is left out although its directory is read: names with a
    /// leading dot are, but a rule that is hidden beside the others may be thought to be in force.
    package static func isPassedOver(path: String) -> Bool {
        !holdsPolicy(path) && path.split(separator: "/").last?.hasPrefix(".") ?? false
    }

    private static func holdsPolicy(_ path: String) -> Bool {
        path.hasPrefix("rules/") || path.hasPrefix("catalog/")
    }

    /// Whether a name says that the file is YAML, in whichever case.
    private static func isYAML(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasSuffix(".yaml") || name.hasSuffix(".yml")
    }

    private static func visit(
        directory: String, prefix: String, depth: Int, files: inout [BundleFile],
        _ faults: DiagnosticCollector
    ) {
        guard depth <= 8, let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            return faults.report(file: prefix.isEmpty ? directory : prefix, "this directory cannot be read")
        }
        for name in names.sorted() where files.count <= maximumCount {
            let location = directory + "/" + name
            let path = prefix + name
            if isPassedOver(path: path) { continue }
            if name.hasPrefix(".") {
                faults.report(
                    file: path, "hidden, and so no part of a bundle", remedy: strayRemedy(path))
                continue
            }
            let attributes = try? FileManager.default.attributesOfItem(atPath: location)
            switch attributes?[.type] as? FileAttributeType {
            case .some(.typeDirectory):
                visit(directory: location, prefix: path + "/", depth: depth + 1, files: &files, faults)
            case .some(.typeSymbolicLink):
                faults.report(file: path, "symbolic links are refused", remedy: "put the file itself here")
            case .some(.typeRegular):
                guard isYAML(name) else {
                    if holdsPolicy(path) {
                        faults.report(
                            file: path, "neither a rule nor its cases nor a catalog file",
                            remedy: strayRemedy(path))
                    }
                    continue
                }
                read(location, as: path, size: attributes?[.size] as? Int, files: &files, faults)
            default:
                faults.report(file: path, "neither a file nor a directory")
            }
        }
    }

    private static func strayRemedy(_ path: String) -> String {
        let folder = path.prefix { $0 != "/" }
        return "delete it or move it out of \(folder)/; a rule to keep but not to use says `mode: off`"
    }

    private static func read(
        _ location: String, as path: String, size: Int?, files: inout [BundleFile],
        _ faults: DiagnosticCollector
    ) {
        guard let size, size <= maximumSize else {
            return faults.report(file: path, "larger than 1 MiB", remedy: "split it")
        }
        guard let content = FileManager.default.contents(atPath: location) else {
            return faults.report(file: path, "this file cannot be read")
        }
        files.append(BundleFile(path: path, bytes: Array(content)))
    }
}

extension BundleFile {
    /// SHA-256 of what these files say: their trees, whatever their comments, spacing, quotes, the order of
    /// keys, and the folders of rules. A file that is not the YAML of bundles stands for its octets.
    package static func meaning(of files: [BundleFile]) -> Digest {
        let members = files.map { file in
            // The name of a rule's file is its id; the folders are for people.
            let isRule = file.path.hasPrefix("rules/")
            let name = isRule ? "rules/\(file.path.split(separator: "/").last ?? "")" : file.path
            let tree = StrictYAML.parse(file, DiagnosticCollector())
            return (name, tree?.meaning ?? .array(["octets", .string(Digest(of: file.bytes).description)]))
        }
        let value = JSONValue.object(Dictionary(members, uniquingKeysWith: { .array([$0, $1]) }))
        return Digest(of: Array(value.canonicalText.utf8))
    }
}

extension YAMLNode {
    /// The value without where it stands and how it is written; no two values have the same.
    fileprivate var meaning: JSONValue {
        switch content {
        case .scalar(let text, let isPlain):
            guard isPlain else { return .string(text) }
            // Only these mean another thing with quotes than without.
            if let number = Int64(text) { return .array(["number", .string(String(number))]) }
            return ["true", "false"].contains(text) ? .array(["truth", .string(text)]) : .string(text)
        case .sequence(let items): return .array(["list", .array(items.map(\.meaning))])
        case .mapping(let entries):
            let members = entries.map { ($0.key, $0.value.meaning) }
            return .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
        }
    }
}
