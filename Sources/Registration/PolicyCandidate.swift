package import EnrollmentCore
package import Policy

/// A bundle that somebody wants in force, not judged yet.
package struct PolicyCandidate: Sendable {
    /// What its bundle's digest is or, if it does not load, would be; of a directory that cannot be read, the
    /// digest of what is wrong with it.
    package let digest: Digest
    let files: Result<[BundleFile], PolicyLoadError>

    /// - Parameter files: in any order.
    package init(files: [BundleFile]) { self.init(.success(files)) }

    /// Reads a directory; what is wrong with it is found when the candidate is judged.
    package init(directory: String) {
        do throws(PolicyLoadError) { self.init(.success(try BundleFile.read(directory: directory))) } catch {
            self.init(.failure(error))
        }
    }

    private init(_ files: Result<[BundleFile], PolicyLoadError>) {
        switch files {
        case .success(let files): digest = Digest(of: PolicyBundle.canonicalBytes(of: files))
        case .failure(let error): digest = Digest(of: Array(error.description.utf8))
        }
        self.files = files
    }
}
