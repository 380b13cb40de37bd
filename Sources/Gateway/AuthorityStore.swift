import EnrollmentCore
import Foundation
import Issuance
import Listener
import OpenSSLCrypto
import PKIX

/// The authorities of a state directory: certificates and, beside them, their keys as PKCS#8 in files that
/// only the owner reads.
struct AuthorityStore {
    let state: StateDirectory

    /// The name of the one issuing CA that first start makes.
    static let issuerName = "issuing"
    /// A listener certificate is renewed at start-up when it has less than this left, in seconds.
    private static let renewalWindow: Int64 = 30 * 86_400

    /// Makes root, issuing CA, SCEP registration authority and listener certificate on first use.
    func createIfMissing(at now: Timestamp, random: any RandomSource) async throws {
        guard !FileManager.default.fileExists(atPath: state.pki) else { return }
        let made = try await AuthorityBootstrap(at: now, random: random)
        try state.createOnce(state.pki) { directory in
            try write(made.root, "root", to: directory)
            try write(made.issuing, Self.issuerName, to: directory)
            try write(made.registrationAuthority, "scep-ra", to: directory)
            try writeListener(made.tlsServer, issuing: made.issuing.certificate, to: "\(directory)/tls.pem")
        }
    }

    /// The issuing authorities by name.
    func issuers() throws -> [String: CertificateAuthority] {
        let certificate = try X509Certificate(der: certificate(Self.issuerName))
        let authority = try CertificateAuthority(
            name: Self.issuerName, certificate: certificate, chain: [self.certificate("root")],
            signer: signer(Self.issuerName))
        return [Self.issuerName: authority]
    }

    /// SHA-256 of each certificate that first start made. The ledger has no reservation for these: they were
    /// there before it, or stand for the gateway itself. So each start records them.
    func fingerprints() throws -> String {
        try ["root", Self.issuerName, "scep-ra", "tls"].map { name in
            "\(name) \(Digest(of: try certificate(name)))"
        }.joined(separator: ", ")
    }

    /// The SCEP registration authority.
    func registrationAuthority() throws -> CMSIdentity {
        do {
            return try CMSIdentity(
                key: Array(try text("scep-ra.key").utf8), certificate: certificate("scep-ra"))
        } catch let error as OpenSSLError {
            throw StartupError(
                "\(state.pki)/scep-ra: \(error)",
                remedy: "restore scep-ra.pem and scep-ra.key from the backup")
        }
    }

    /// The TLS listener's chain and key, renewed when little is left of its validity.
    func listener(at now: Timestamp, random: any RandomSource) async throws -> TLSIdentity {
        let path = "\(state.pki)/tls.pem"
        let current = try PEM.decode(try text("tls.pem"), label: "CERTIFICATE").first
        let notAfter = try current.map { try X509Certificate(der: $0).notAfter } ?? .min
        if now.adding(seconds: Self.renewalWindow).seconds > notAfter {
            let issuing = KeyedCertificate(
                certificate: try certificate(Self.issuerName), signer: try signer(Self.issuerName))
            let renewed = try await AuthorityBootstrap.tlsServer(
                hosts: [], issuing: issuing, at: now, random: random)
            try writeListener(renewed, issuing: issuing.certificate, to: path + ".unfinished")
            guard rename(path + ".unfinished", path) == 0 else {
                throw StartupError("cannot write \(path)", remedy: "free disk space or permissions")
            }
        }
        let contents = Array(try text("tls.pem").utf8)
        return TLSIdentity(certificateChain: contents, privateKey: Secret(contents))
    }

    private func certificate(_ name: String) throws -> [UInt8] {
        guard let der = try PEM.decode(try text("\(name).pem"), label: "CERTIFICATE").first else {
            throw StartupError(
                "\(state.pki)/\(name).pem holds no certificate", remedy: "restore it from the backup")
        }
        return der
    }

    private func signer(_ name: String) throws -> SoftwareSigner {
        try SoftwareSigner(pkcs8PEM: try text("\(name).key"))
    }

    private func text(_ name: String) throws -> String {
        try StateDirectory.readPrivate("\(state.pki)/\(name)")
    }

    private func write(_ keyed: KeyedCertificate, _ name: String, to directory: String) throws {
        let certificate = PEM.encode(label: "CERTIFICATE", der: keyed.certificate)
        try StateDirectory.writePrivate(Array(certificate.utf8), to: "\(directory)/\(name).pem")
        try StateDirectory.writePrivate(Array(keyed.signer.pkcs8PEM.utf8), to: "\(directory)/\(name).key")
    }

    /// Chain and key in one file, so that a renewal replaces both at once.
    private func writeListener(_ keyed: KeyedCertificate, issuing: [UInt8], to path: String) throws {
        let text =
            PEM.encode(label: "CERTIFICATE", der: keyed.certificate)
            + PEM.encode(label: "CERTIFICATE", der: issuing) + keyed.signer.pkcs8PEM
        try StateDirectory.writePrivate(Array(text.utf8), to: path)
    }
}
