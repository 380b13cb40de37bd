import Foundation

/// ACME by certbot and by lego, each with an account of its own in one folder.
struct ACME {
    let gate: Gate
    let folder: Folder
    let service: String

    init(_ gate: Gate, _ folder: Folder, service: String) {
        self.gate = gate
        self.folder = folder
        self.service = service
    }

    private func directory() throws -> String { "\(try gate.endpoints.tls)/acme/\(service)/directory" }

    /// Obtains a certificate for some names with certbot; the path of its file.
    func certbot(_ names: [String], _ credential: MintedCredential) throws -> String {
        try gate.withHTTP01Port { port in
            try Tool.succeed(
                "certbot",
                [
                    "certonly", "--standalone", "--http-01-address", "127.0.0.1", "--http-01-port", "\(port)",
                    "--server", try directory(), "--eab-kid", credential.kid ?? "", "--eab-hmac-key",
                    credential.hmacKey ?? "", "--agree-tos", "-m", "jane@corp.example", "--cert-name", "one",
                ] + names.flatMap { ["-d", $0] } + certbotFolders, in: folder, environment: trust)
        }
        return folder.file("certbot/live/one/cert.pem")
    }

    /// Renews what `certbot(_:_:)` obtained.
    func renewWithCertbot() throws {
        try gate.withHTTP01Port { _ in
            try Tool.succeed(
                "certbot", ["renew", "--force-renewal", "--no-random-sleep-on-renew"] + certbotFolders,
                in: folder,
                environment: trust)
        }
    }

    /// Runs lego, whatever comes of it.
    func lego(_ names: [String], _ credential: MintedCredential, verb: [String] = ["run"]) throws -> Finished
    {
        try gate.withHTTP01Port { port in
            try Tool.run(
                "lego",
                [
                    "--server", try directory(), "--path", folder.file("lego"), "--email",
                    "jane@corp.example",
                    "--accept-tos", "--eab", "--kid", credential.kid ?? "", "--hmac",
                    credential.hmacKey ?? "",
                    "--http", "--http.port", "127.0.0.1:\(port)",
                ] + names.flatMap { ["--domains", $0] } + verb, in: folder, environment: trust)
        }
    }

    /// What lego obtained for a first name.
    func legoCertificate(_ name: String) -> String { folder.file("lego/certificates/\(name).crt") }

    static let legoRenewal = ["renew", "--no-random-sleep", "--days", "3650"]

    private var certbotFolders: [String] {
        [
            "--non-interactive", "--config-dir", folder.file("certbot"), "--work-dir",
            folder.file("certbot-work"),
            "--logs-dir", folder.file("certbot-logs"),
        ]
    }

    private var trust: [String: String] {
        ["REQUESTS_CA_BUNDLE": gate.root, "LEGO_CA_CERTIFICATES": gate.root]
    }
}
