import EnrollmentCore
import Foundation
import Testing

@testable import Policy

/// The bundle that the repository ships, and bundles made of its catalog and other rules.
enum TestBundle {
    static let service = ServiceName("laptops")
    static let profile = ProfileName("client-auth")
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "policies").path(percentEncoded: false)

    static func starterFiles() throws -> [BundleFile] { try BundleFile.read(directory: directory) }

    static func starter() throws -> PolicyBundle { try PolicyBundle(files: starterFiles()) }

    /// The starter bundle with the first `old` in one file replaced; an empty `old` appends.
    static func starter(editing path: String, _ old: String, _ new: String) throws -> PolicyBundle {
        let files = try starterFiles()
        let file = try #require(files.first { $0.path == path })
        var text = String(decoding: file.bytes, as: UTF8.self)
        if old.isEmpty {
            text += new
        } else {
            let range = try #require(text.range(of: old), "\(old) is not in \(path)")
            text.replaceSubrange(range, with: new)
        }
        let others = files.filter { $0.path != path }
        return try PolicyBundle(files: others + [BundleFile(path: path, bytes: Array(text.utf8))])
    }

    /// The starter's catalog with these rules, each by its id and what follows its head.
    static func load(_ rules: [String: String], mode: String = "enforce") throws -> PolicyBundle {
        var files = try starterFiles().filter { !$0.path.hasPrefix("rules/") }
        for (id, body) in rules {
            let head = """
                policy: v1
                id: \(id)
                title: A rule for tests
                owner: { team: Device Identity, contact: device-identity@corp.example }
                review_by: 2027-11-30
                mode: \(mode)

                """
            files.append(BundleFile(path: "rules/\(id).yaml", bytes: Array((head + body).utf8)))
            files.append(BundleFile(path: "rules/\(id).cases.yaml", bytes: Array(cases.utf8)))
        }
        return try PolicyBundle(files: files)
    }

    private static let cases = """
        tests: v1
        base: { service: laptops, device: { id: LT-042 } }
        cases: [{ name: whatever, expect: { deny: no-rule } }]

        """

    /// A catalog with rules that did not come from files.
    static func make(_ catalog: PolicyBundle, _ rules: [Rule]) throws -> PolicyBundle {
        let service = try #require(catalog.defaultService)
        return PolicyBundle(
            loaded: BundleLoader.Loaded(
                catalog: catalog.catalog, defaultService: service, rules: rules, cases: []),
            canonicalText: String(describing: rules.map(\.id)))
    }

    /// A permit rule for laptops.
    static func permit(_ conditions: String, days: Int = 7, more: String = "") -> String {
        """
        effect: permit
        applies_to: { service: laptops, profile: client-auth }
        require:
        \(conditions.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))
        certificate: { common_name: "{device.id}", validity: { at_most: \(days)d } }
        \(more)

        """
    }

    /// A deny rule for laptops.
    static func deny(_ conditions: String) -> String {
        """
        effect: deny
        applies_to: { service: laptops, profile: client-auth }
        block_unless:
        \(conditions.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n"))

        """
    }
}
