/// Carries requests to a witness; everything that is protocol stays on this side.
package protocol WitnessTransport: Sendable {
    /// Sends a POST and waits, within a limit of its own, for the answer.
    ///
    /// - Parameters:
    ///   - url: of the scheme that the transport is for.
    ///   - body: the request's body.
    func post(_ url: String, body: [UInt8]) async throws(WitnessError) -> WitnessResponse
}

/// An HTTP answer as far as it matters.
package struct WitnessResponse: Sendable, Hashable {
    package let status: Int
    package let body: [UInt8]

    /// - Parameter body: at most 64 KiB.
    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Why there is no cosignature.
package enum WitnessError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No answer.
    case unreachable(String)
    /// An answer that is none, or a refusal.
    case refused(String)
    /// A refusal that there is no reason for unless the witness was shown another history of this log; it has
    /// seen so many leaves.
    case contradicted(String, seen: Int64)
    /// The log has not what is needed, or it could not be stored.
    case log(String)

    package var description: String {
        switch self {
        case .unreachable(let what), .refused(let what), .contradicted(let what, _), .log(let what): what
        }
    }
}
