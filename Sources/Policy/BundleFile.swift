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

    /// The YAML files below `directory`, sorted by path. Everything else (a README, dot files) is passed
    /// over.
    ///
    /// - Throws: when the directory or a file cannot be read, is a symbolic link, or is out of bounds.
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

    private static func visit(
        directory: String, prefix: String, depth: Int, files: inout [BundleFile],
        _ faults: DiagnosticCollector
    ) {
        guard depth <= 8, let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            return faults.report(file: prefix.isEmpty ? directory : prefix, "this directory cannot be read")
        }
        for name in names.sorted() where !name.hasPrefix(".") && files.count <= maximumCount {
            let location = directory + "/" + name
            let path = prefix + name
            let attributes = try? FileManager.default.attributesOfItem(atPath: location)
            switch attributes?[.type] as? FileAttributeType {
            case .some(.typeDirectory):
                visit(directory: location, prefix: path + "/", depth: depth + 1, files: &files, faults)
            case .some(.typeSymbolicLink):
                faults.report(file: path, "symbolic links are refused", remedy: "put the file itself here")
            case .some(.typeRegular):
                guard name.hasSuffix(".yaml") || name.hasSuffix(".yml") else { continue }
                read(location, as: path, size: attributes?[.size] as? Int, files: &files, faults)
            default:
                faults.report(file: path, "neither a file nor a directory")
            }
        }
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
