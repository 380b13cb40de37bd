import Foundation
import Testing

/// Expects a certificate that strict verification and pkilint pass, with these names and no others.
func expectSound(
    _ certificate: String, commonName: String?, dns: [String], gate: Gate, folder: Folder,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let faults = try Judge.faults(of: certificate, from: gate, in: folder)
    #expect(faults == "", sourceLocation: sourceLocation)
    let names = try Judge.names(certificate, in: folder)
    #expect(names.commonName == commonName, sourceLocation: sourceLocation)
    #expect(names.dns == dns, sourceLocation: sourceLocation)
}

/// A key and a request made with openssl.
struct KeyAndRequest {
    /// PEM.
    let key: String
    /// DER.
    let request: String
    /// The request in base64, wrapped, as EST clients send it.
    let base64: String
}

/// What independent programs say of a certificate.
enum Judge {
    /// Makes a key and a PKCS#10 request for it.
    ///
    /// - Parameter key: an existing key's path, nil for a new P-256 key.
    static func request(
        subject: String, dns: [String] = [], key existing: String? = nil, in folder: Folder
    ) throws -> KeyAndRequest {
        let base = folder.fresh("request")
        let key = existing ?? base + ".key"
        let keyOptions =
            existing.map { ["-key", $0] }
            ?? ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
        let names =
            dns.isEmpty
            ? [] : ["-addext", "subjectAltName=" + dns.map { "DNS:\($0)" }.joined(separator: ",")]
        try Tool.succeed(
            "openssl",
            ["req", "-new"] + keyOptions + ["-subj", subject, "-outform", "DER", "-out", base + ".der"]
                + names,
            in: folder)
        let text = Data.contents(base + ".der").base64EncodedString(
            options: [.lineLength64Characters, .endLineWithLineFeed])
        try Data((text + "\n").utf8).write(to: URL(fileURLWithPath: base + ".b64"))
        return KeyAndRequest(key: key, request: base + ".der", base64: base + ".b64")
    }

    /// Nothing when openssl's strict verification and pkilint find no fault, else the faults.
    ///
    /// - Parameter certificate: a PEM file; the first certificate in it is judged.
    static func faults(of certificate: String, from gate: Gate, in folder: Folder) throws -> String {
        let leaf = folder.fresh("leaf.pem")
        try Tool.succeed("openssl", ["x509", "-in", certificate, "-out", leaf], in: folder)
        let verified = try Tool.run(
            "openssl",
            [
                "verify", "-x509_strict", "-check_ss_sig", "-no-CApath", "-no-CAstore", "-CAfile", gate.root,
                "-untrusted", gate.issuing, leaf,
            ], in: folder)
        let linted = try Tool.run("lint_pkix_cert", ["lint", "-s", "ERROR", leaf], in: folder)
        var faults = verified.status == 0 ? "" : "openssl verify: \(verified)"
        let findings = linted.output.trimmingCharacters(in: .whitespacesAndNewlines)
        if linted.status != 0 || !findings.isEmpty { faults += "pkilint: \(linted)" }
        return faults
    }

    /// What `openssl x509` prints for some options, e.g. `-serial`.
    static func read(_ certificate: String, _ options: [String], in folder: Folder) throws -> String {
        try Tool.succeed("openssl", ["x509", "-in", certificate, "-noout"] + options, in: folder).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The serial number as the ledger writes it.
    static func serial(_ certificate: String, in folder: Folder) throws -> String {
        String(try read(certificate, ["-serial"], in: folder).dropFirst("serial=".count)).lowercased()
    }

    /// Common name and DNS names.
    static func names(_ certificate: String, in folder: Folder) throws -> (commonName: String?, dns: [String])
    {
        let text = try read(
            certificate, ["-subject", "-nameopt", "sep_multiline,lname", "-ext", "subjectAltName"], in: folder
        )
        let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let commonName = lines.first { $0.hasPrefix("commonName=") }.map {
            String($0.dropFirst("commonName=".count))
        }
        let dns = lines.filter { $0.hasPrefix("DNS:") }.flatMap { $0.components(separatedBy: ", ") }
        return (commonName, dns.map { String($0.dropFirst("DNS:".count)) })
    }

    /// SHA-256 of the public key.
    static func publicKey(_ certificate: String, in folder: Folder) throws -> String {
        try read(certificate, ["-pubkey"], in: folder)
    }
}
