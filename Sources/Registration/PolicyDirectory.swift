package import EnrollmentCore
import Foundation
import Glibc
import Policy

/// A directory of policy files as a running gateway looks at it, cheaply and every few seconds.
package struct PolicyDirectory: Sendable {
    /// How long nothing may have changed before a directory is judged: a checkout that is being written is
    /// seen half-written.
    package static let settling = Duration.seconds(1)

    package let path: String
    /// As last judged; nil before the first time.
    private var known: Digest?
    /// The digest of the candidate that it held then.
    package private(set) var held: Digest?
    private var seen: (fingerprint: Digest, since: ContinuousClock.Instant)?

    /// - Parameter path: the directory; it need not exist.
    package init(path: String) { self.path = path }

    /// Tells whether there is something new to judge, and its fingerprint: nil when nothing has changed since
    /// the directory was judged, or it was still changing at the last look.
    ///
    /// - Parameter hurried: whether to judge it even so.
    package mutating func changed(at instant: ContinuousClock.Instant, hurried: Bool) -> Digest? {
        let current = fingerprint()
        if seen?.fingerprint != current { seen = (current, instant) }
        guard current != known, let seen else { return nil }
        return hurried || instant - seen.since >= Self.settling ? current : nil
    }

    /// Remembers that the directory was judged as it was under that fingerprint, and what it held.
    package mutating func judged(_ fingerprint: Digest, holding candidate: Digest) {
        known = fingerprint
        held = candidate
    }

    /// What changes whenever a file of the bundle does: paths, sizes, times of change, inodes.
    package func fingerprint() -> Digest {
        var fields: [[UInt8]] = []
        visit(path, prefix: "", depth: 0, &fields)
        return Digest(ofFields: fields)
    }

    /// As deep and as far as a bundle is read.
    private func visit(_ directory: String, prefix: String, depth: Int, _ fields: inout [[UInt8]]) {
        let names = try? FileManager.default.contentsOfDirectory(atPath: directory)
        guard depth <= 8, let names else { return fields.append(Array("\(directory) unreadable".utf8)) }
        for name in names.sorted() where fields.count <= 2 * BundleFile.maximumCount {
            let location = "\(directory)/\(name)"
            guard !BundleFile.isPassedOver(path: prefix + name) else { continue }
            var status = stat()
            guard lstat(location, &status) == 0 else { continue }
            let changed = status.st_mtim
            let numbers = [
                Int64(status.st_mode), Int64(truncatingIfNeeded: status.st_ino), Int64(status.st_size),
                Int64(changed.tv_sec), Int64(changed.tv_nsec),
            ]
            fields.append(Array("\(location) \(numbers)".utf8))
            if status.st_mode & S_IFMT == S_IFDIR {
                visit(location, prefix: prefix + name + "/", depth: depth + 1, &fields)
            }
        }
    }
}
