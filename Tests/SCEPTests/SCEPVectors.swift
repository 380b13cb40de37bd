import EnrollmentCore
import EnrollmentTesting
import Foundation
import FrontEnd
import OpenSSLCrypto
import PKIX
import SCEP

/// Files of Tests/Vectors/scep (its README says how they were made).
enum SCEPVectors {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Vectors/scep")

    static func octets(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: name)))
    }

    static func text(_ name: String) throws -> String { String(decoding: try octets(name), as: UTF8.self) }

    /// DER of a `.pem` certificate.
    static func certificate(_ name: String) throws -> [UInt8] {
        guard let der = try PEM.decode(try text(name), label: "CERTIFICATE").first else {
            throw CocoaError(.fileReadCorruptFile)
        }
        return der
    }

    static func identity(_ key: String, _ name: String) throws -> CMSIdentity {
        try CMSIdentity(key: try octets(key), certificate: try certificate(name))
    }

    static func registrationAuthority() throws -> CMSIdentity { try identity("ra.key.pem", "ra.pem") }
}

/// A SCEP server in front of a scripted registrar.
struct SCEPBench {
    let registrar: ScriptedRegistrar
    let server: SCEPServer

    init(_ script: ScriptedRegistrar.Script = .init(), protocols: Set<EnrollmentProtocol> = [.scep]) throws {
        let service = ServiceDescription(name: ServiceName("laptops"), protocols: protocols, profiles: [:])
        registrar = ScriptedRegistrar(
            services: [service],
            authorities: CertificateAuthorities(
                issuing: try SCEPVectors.certificate("issuing.pem"),
                chain: [try SCEPVectors.certificate("root.pem")]),
            script: script)
        server = SCEPServer(
            registrar: registrar, registrationAuthority: try SCEPVectors.registrationAuthority(),
            random: SeededRandom())
    }

    static let id = RequestID(at: Timestamp(seconds: 1_795_348_800), random: [7])

    func send(
        _ method: String, _ path: String = "/scep/laptops", query: String? = nil,
        body: FrontEndRequest.Body = .complete([])
    ) async -> FrontEndResponse {
        await server.respond(
            to: FrontEndRequest(
                id: Self.id, receivedAt: Timestamp(seconds: 1_795_348_800), method: method, path: path,
                query: query, body: body, peer: Peer(address: "127.0.0.1", isSecure: false)))
    }

    func post(_ message: [UInt8]) async -> FrontEndResponse {
        await send("POST", query: "operation=PKIOperation", body: .complete(message))
    }

    /// A registrar that issues `device.issued.pem` for everything.
    static func issuing() throws -> ScriptedRegistrar.Script {
        let certificate = try SCEPVectors.certificate("device.issued.pem")
        let issued = IssuedCertificate(
            requestID: id, certificate: certificate, issuer: "issuing", serial: [0x10, 0x02],
            device: DeviceID("device") ?? { preconditionFailure("a device id") }(),
            notAfter: Timestamp(seconds: 2_000_000_000))
        return .init(enroll: { _ in .issued(issued) }, outcome: { _ in .issued(issued) })
    }
}
