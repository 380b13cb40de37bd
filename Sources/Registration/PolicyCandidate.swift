package import EnrollmentCore
package import Policy

/// A bundle that somebody wants in force, not judged yet.
package struct PolicyCandidate: Sendable {
    /// What its bundle's digest is or, if it does not load, would be; of a directory that cannot be read, the
    /// digest of what is wrong with it.
    package let digest: Digest
    /// The same for candidates that say the same, however they are written.
    package let meaning: Digest
    /// Where it was read, as a command names it.
    let place: String
    let files: Result<[BundleFile], PolicyLoadError>

    /// - Parameter files: in any order.
    package init(files: [BundleFile]) { self.init(.success(files), place: "DIR") }

    /// Reads a directory; what is wrong with it is found when the candidate is judged.
    package init(directory: String) {
        do throws(PolicyLoadError) {
            self.init(.success(try BundleFile.read(directory: directory)), place: directory)
        } catch {
            self.init(.failure(error), place: directory)
        }
    }

    private init(_ files: Result<[BundleFile], PolicyLoadError>, place: String) {
        switch files {
        case .success(let files):
            digest = Digest(of: PolicyBundle.canonicalBytes(of: files))
            meaning = BundleFile.meaning(of: files)
        case .failure(let error):
            digest = Digest(of: Array(error.description.utf8))
            meaning = digest
        }
        self.files = files
        self.place = place
    }
}
