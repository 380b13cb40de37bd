import EnrollmentCore
import Foundation
import Policy

/// The policy bundle that comes with Gatehouse, on its way into a new state directory.
struct StarterBundle {
    /// Relative path and contents of each file.
    let files: [(path: String, contents: String)]

    /// Finds `policies/` beside the caller's directory or above the executable (a build tree, an
    /// installation).
    ///
    /// - Parameter given: the `--policies` option.
    static func find(_ given: String?) throws -> StarterBundle {
        let executable = URL(fileURLWithPath: CommandLine.arguments.first ?? "").resolvingSymlinksInPath()
        var candidates = [given ?? "policies"]
        if given == nil {
            var parent = executable.deletingLastPathComponent()
            for _ in 0..<5 {
                candidates.append(parent.appendingPathComponent("policies").path)
                parent.deleteLastPathComponent()
            }
            candidates.append("/usr/share/gatehouse/policies")
        }
        for candidate in candidates where FileManager.default.fileExists(atPath: "\(candidate)/owners.yaml") {
            return try StarterBundle(directory: candidate)
        }
        let folders = candidates.enumerated().filter { !candidates[..<$0].contains($1) }.map(\.element)
        throw StartupError(
            "no starter policy bundle was found (looked in \(folders.joined(separator: ", ")))",
            remedy: "name one with --policies DIR", exitCode: .notFound)
    }

    private init(directory: String) throws {
        guard let walk = FileManager.default.enumerator(atPath: directory) else {
            throw StartupError("cannot read \(directory)", remedy: "make it readable")
        }
        var files: [(String, String)] = []
        for case let path as String in walk where path.hasSuffix(".yaml") {
            files.append((path, try String(contentsOfFile: "\(directory)/\(path)", encoding: .utf8)))
        }
        self.files = files.sorted { $0.0 < $1.0 }
    }

    /// Writes the files, every review date set one year after `now`, and `person` put in the place of the one
    /// who may approve: the copy is the security team's from here on, and nobody has reviewed it yet.
    ///
    /// - Parameter person: as approvals name them, e.g. `os:jane`.
    func write(to directory: String, at now: Timestamp, person: String) throws {
        for schema in PolicySchemas.files() {
            let target = URL(fileURLWithPath: "\(directory)/\(schema.path)")
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try schema.text.write(to: target, atomically: false, encoding: .utf8)
        }
        let review = String(now.adding(seconds: 365 * 86_400).rfc3339.prefix(10))
        for (path, contents) in files {
            let target = URL(fileURLWithPath: "\(directory)/\(path)")
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Self.stamp(contents, review).replacingOccurrences(of: Self.operator, with: person)
                .write(to: target, atomically: false, encoding: .utf8)
        }
    }

    /// Who may approve in the bundle as it comes.
    private static let `operator` = "os:operator"

    /// Replaces each `review_by: YYYY-MM-DD` by `review_by: date`.
    static func stamp(_ contents: String, _ date: String) -> String {
        let key = "review_by: "
        var parts = contents.components(separatedBy: key)
        for index in parts.indices.dropFirst() {
            let old = parts[index].prefix(10)
            if Timestamp(rfc3339: "\(old)T00:00:00Z") != nil {
                parts[index] = date + parts[index].dropFirst(10)
            }
        }
        return parts.joined(separator: key)
    }
}
