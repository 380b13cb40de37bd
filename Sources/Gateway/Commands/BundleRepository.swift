import Foundation
import Policy

/// The git repository that a bundle's directory is in.
struct BundleRepository {
    /// The directory, as it is now; a revision must have it at the same path.
    let directory: String

    /// The bundle as it was.
    ///
    /// - Parameter revision: any name of a commit that git knows.
    /// - Throws: when git does not know it, or it holds no bundle that loads.
    func bundle(at revision: String) throws -> PolicyBundle {
        let commit = try commit(revision)
        let top = try git(
            ["rev-parse", "--show-toplevel"], otherwise: "\(directory) is in no git repository")
        let prefix = try git(
            ["rev-parse", "--show-prefix"], otherwise: "\(directory) is in no git repository")
        let tree = commit + (prefix.isEmpty ? "^{tree}" : ":" + prefix.trimmingSuffix("/"))
        let copy = FileManager.default.temporaryDirectory.appending(path: "gatehouse-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: copy, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: copy) }
        // An index of its own: the repository's index and files stay as they are, and every file of the tree
        // comes out, whatever attributes say of archives.
        let index = copy.appending(path: ".index").path(percentEncoded: false)
        let missing = "`\(revision)` has no \(prefix.isEmpty ? directory : prefix)"
        _ = try git(["read-tree", tree], index: index, otherwise: missing)
        _ = try git(
            ["checkout-index", "--all", "--prefix=" + copy.path(percentEncoded: false) + "/"], in: top,
            index: index, otherwise: "cannot copy the files of `\(revision)`")
        return try Stores.policyBundle(
            in: copy.path(percentEncoded: false), called: "\(directory) at \(revision)")
    }

    /// Where two revisions parted.
    ///
    /// - Throws: when git does not know one of them, or they have nothing in common.
    func branching(_ one: String, _ other: String) throws -> String {
        try git(
            ["merge-base", commit(one), commit(other)],
            otherwise: "`\(one)` and `\(other)` have no commit in common")
    }

    private func commit(_ revision: String) throws -> String {
        try git(
            ["rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"],
            otherwise: "git knows no revision `\(revision)` in \(directory)")
    }

    private func git(
        _ arguments: [String], in place: String? = nil, index: String? = nil, otherwise problem: String
    ) throws -> String {
        var words = ["HOME=" + NSHomeDirectory()]
        if let index { words.append("GIT_INDEX_FILE=" + index) }
        let (status, text) = try Command.run(
            "/usr/bin/env", words + ["git", "-C", place ?? directory] + arguments)
        guard status == 0 else {
            throw StartupError(
                problem + (text.isEmpty ? "" : ": " + text), remedy: "give revisions that git log shows",
                exitCode: status == 127 ? .dependencyUnavailable : .notFound)
        }
        return text
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}

extension Stores {
    /// The bundle in a directory that goes by another name in messages.
    fileprivate static func policyBundle(in directory: String, called name: String) throws -> PolicyBundle {
        do throws(PolicyLoadError) {
            return try PolicyBundle(files: BundleFile.read(directory: directory))
        } catch {
            throw StartupError(
                "the policy bundle in \(name) does not load:\n\(error)",
                remedy: "compare with a revision whose bundle loads", exitCode: .invalid)
        }
    }
}
