import EnrollmentCore
import FrontEnd
import OpenSSLCrypto

extension SCEPServer {
    /// What became of a deferred transaction (RFC 8894 §3.3.3).
    ///
    /// Found by transaction id and signer key; the names in the payload are the client's to choose
    /// and are not read. The envelope is opened all the same: it says which cipher the client understands.
    func certPoll(
        _ opened: OpenedMessage, service: ServiceName, request: FrontEndRequest
    ) async throws(MessageRefusal) -> EnrollmentOutcome {
        let poll = TransactionPoll(
            id: request.id, receivedAt: request.receivedAt, reference: opened.message.reference(in: service),
            enrollmentProtocol: .scep, peer: request.peer)
        guard let outcome = await registrar.outcome(of: poll) else {
            throw MessageRefusal(
                .unacceptableRequest, "scep.unknown_transaction", "No such transaction of this signer.",
                failure: .badCertId)
        }
        return outcome
    }
}
