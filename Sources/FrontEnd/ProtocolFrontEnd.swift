/// One protocol: parses requests, hands intents to the `Registrar`, encodes what comes back.
package protocol ProtocolFrontEnd: Sendable {
    /// Answers any request below the protocol's paths. Total: every input has an answer.
    func respond(to request: FrontEndRequest) async -> FrontEndResponse

    /// The largest body this front-end reads, in octets.
    var maximumBodySize: Int { get }
}
