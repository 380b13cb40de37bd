/// Looks whether a client controls a DNS name, by fetching what RFC 8555 §8.3 (http-01) has it put there.
///
/// An implementation dials only addresses its configuration allows, bounds redirects, body and time, and
/// never quotes what it read.
package protocol DomainControlValidator: Sendable {
    /// One attempt.
    ///
    /// - Parameters:
    ///   - name: the DNS name, lower-case A-labels without trailing dot.
    ///   - token: the last part of the path below `/.well-known/acme-challenge/`, base64url.
    ///   - keyAuthorization: what the resource must hold, ASCII; trailing white space in the resource is
    ///     tolerated (RFC 8555 §8.3).
    ///   - timeLimit: for the whole attempt, redirects and name resolution included.
    func validate(
        name: String, token: String, keyAuthorization: String, timeLimit: Duration
    ) async -> DomainValidationResult
}

/// What one attempt found.
package enum DomainValidationResult: Sendable, Hashable {
    case valid
    /// The detail is one sentence for the client; it never quotes what was fetched nor the key authorization.
    case failed(DomainValidationFailure, detail: String)
}

/// The kinds of failure that RFC 8555 §6.7 names for a validation; the raw value is the problem type's name.
package enum DomainValidationFailure: String, Sendable, Hashable, CaseIterable {
    /// The name's host could not be connected to in time, or not at an allowed address.
    case connection
    /// The name could not be resolved.
    case dns
    /// Something was served, but not the key authorization.
    case incorrectResponse
    /// The host answered that the resource is not there or not to be had (any status but 200).
    case unauthorized
}
