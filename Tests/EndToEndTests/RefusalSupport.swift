import Foundation
import Testing

/// The three ways in.
enum Door: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case est, scep, acme

    var testDescription: String { rawValue }
}

/// What a device asks for, well or badly, over any protocol.
struct Wish {
    var service = "laptops"
    var credential: MintedCredential
    /// The device it says it is, where the protocol has a place for that.
    var user: String
    var commonName: String?
    var dns: [String]
    /// p256, secp256k1, brainpool, rsa2048, rsa1024; SCEP asks for rsa2048 instead of p256.
    var key = "p256"
    /// Whether the request wants a CA's certificate.
    var isAuthority = false
    /// Another secret than the credential's.
    var wrongSecret: String?
    /// The ACME step that goes wrong, and how.
    var fault: (step: String, kind: String)?
}

/// What the device got.
struct Reply: CustomStringConvertible {
    /// `401` in EST, `badRequest`, `pending` or `413` in SCEP, `403 unauthorized` in ACME; `no answer`.
    let code: String
    /// The correlation id, when one was told.
    let request: String?
    let retryAfter: String?
    /// PEM of the certificate, first of its chain.
    let certificate: String?

    var description: String { "\(code) (request \(request ?? "–"), Retry-After \(retryAfter ?? "–"))" }
}

/// Test devices by programs that share nothing with Gatehouse: curl and openssl, and Python below
/// Tests/Clients.
struct Requester {
    let gate: Gate
    let folder: Folder

    init(_ gate: Gate, _ name: String) throws {
        self.gate = gate
        folder = try gate.folder(name)
    }

    func ask(_ door: Door, _ wish: Wish, saved: String? = nil) throws -> Reply {
        switch door {
        case .est: return try est(wish)
        case .scep: return try scep(scepSpec(wish, saved))
        case .acme: return try acme(wish, saved)
        }
    }

    // EST

    private func est(_ wish: Wish) throws -> Reply {
        let request = try certificationRequest(wish)
        let secret = wish.wrongSecret ?? wish.credential.password ?? ""
        return try est(
            wish.service, "simpleenroll", body: Data(request.base64EncodedString().utf8),
            ["-u", "\(wish.user):\(secret)"])
    }

    /// Any request to EST.
    func est(_ service: String, _ operation: String, body: Data?, _ options: [String]) throws -> Reply {
        var arguments = options + ["--cacert", gate.root]
        if let body {
            let file = folder.fresh("body")
            try body.write(to: URL(fileURLWithPath: file))
            arguments += ["--data-binary", "@\(file)"]
            if !options.contains("-H") { arguments += ["-H", "Content-Type: application/pkcs10"] }
        }
        let head = folder.fresh("head")
        let url = try "\(gate.endpoints.tls)/.well-known/est/\(service)/\(operation)"
        let done = try Tool.run(
            "curl", ["-sS", "--max-time", "40", "-D", head] + arguments + [url], in: folder)
        guard done.status == 0 else {
            return Reply(code: "no answer", request: nil, retryAfter: nil, certificate: nil)
        }
        let answer = try EST.answer(head: head, body: done.data)
        var certificate: String?
        if answer.status == 200, body != nil {
            certificate = try String(contentsOfFile: answer.certificate(in: folder), encoding: .utf8)
        }
        let text = done.output.components(separatedBy: "request ")
        return Reply(
            code: "\(answer.status)", request: text.count == 2 ? String(text[1].prefix(36)) : nil,
            retryAfter: answer.headers["retry-after"], certificate: certificate)
    }

    /// DER of a request made with openssl.
    func certificationRequest(_ wish: Wish) throws -> Data {
        let curves = ["p256": "P-256", "secp256k1": "secp256k1", "brainpool": "brainpoolP256r1"]
        let kind =
            curves[wish.key].map { ["ec", "-pkeyopt", "ec_paramgen_curve:\($0)"] }
            ?? ["rsa:\(wish.key.dropFirst(3))"]
        let file = folder.fresh("request.der")
        var arguments = ["req", "-new", "-nodes", "-keyout", file + ".key", "-outform", "DER", "-out", file]
        arguments += ["-subj", wish.commonName.map { "/CN=\($0)" } ?? "/", "-newkey"] + kind
        if wish.isAuthority { arguments += ["-addext", "basicConstraints=critical,CA:TRUE"] }
        try Tool.succeed("openssl", arguments, in: folder)
        return .contents(file)
    }

    // SCEP and ACME

    private func scepSpec(_ wish: Wish, _ saved: String?) throws -> [String: Any] {
        var spec: [String: Any] = [
            "service": wish.service, "challenge": wish.wrongSecret ?? wish.credential.challengePassword ?? "",
            "key": wish.key == "p256" ? "rsa2048" : wish.key, "authority": wish.isAuthority,
        ]
        spec["common_name"] = wish.commonName
        spec["saved"] = saved
        if !["p256", "rsa2048"].contains(wish.key) { spec["signing_key"] = "rsa2048" }
        return spec
    }

    /// One SCEP message; see Tests/Clients/scep.py.
    func scep(_ spec: [String: Any]) throws -> Reply {
        let service = spec["service"] as? String ?? "laptops"
        let url = try "\(gate.endpoints.http)/scep/\(service)"
        let answer = try client("scep.py", spec.merging(["url": url]) { $1 }, SCEPAnswer.self)
        let failures = [
            "0": "badAlg", "1": "badMessageCheck", "2": "badRequest", "3": "badTime", "4": "badCertId",
        ]
        let code: String
        switch answer.status {
        case "0": code = "success"
        case "2": code = failures[answer.failInfo ?? ""] ?? "failure without reason"
        case "3": code = "pending"
        default: code = answer.http == 0 ? "no answer" : "\(answer.http)"
        }
        return Reply(
            code: code, request: answer.request, retryAfter: answer.retryAfter,
            certificate: answer.certificate)
    }

    private func acme(_ wish: Wish, _ saved: String?) throws -> Reply {
        var spec: [String: Any] = [
            "service": wish.service, "kid": wish.credential.kid ?? "",
            "hmac_key": wish.credential.hmacKey ?? "",
            "names": wish.dns, "key": wish.key, "authority": wish.isAuthority,
        ]
        spec["binding_secret"] = wish.wrongSecret
        spec["common_name"] = wish.commonName
        spec["saved"] = saved
        spec["fault"] = wish.fault.map { ["step": $0.step, "kind": $0.kind] }
        return try acme(spec)
    }

    /// One way through ACME, as far as it goes; see Tests/Clients/acme.py.
    func acme(_ spec: [String: Any]) throws -> Reply {
        try gate.withHTTP01Port { port in
            let service = spec["service"] as? String ?? "laptops"
            let place: [String: Any] = [
                "directory": "\(try gate.endpoints.tls)/acme/\(service)/directory", "root": gate.root,
                "http01_port": port,
            ]
            let answer = try client("acme.py", spec.merging(place) { $1 }, ACMEAnswer.self)
            let code = answer.status == 0 ? "no answer" : "\(answer.status)"
            return Reply(
                code: answer.certificate == nil ? answer.type.map { "\(code) \($0)" } ?? code : "success",
                request: answer.request, retryAfter: answer.retryAfter, certificate: answer.certificate)
        }
    }

    /// Runs a program of Tests/Clients; what it is to do goes in by standard input, so that no secret is in a
    /// list of processes.
    func client<Answer: Decodable>(_ name: String, _ spec: [String: Any], _: Answer.Type) throws -> Answer {
        let input = try JSONSerialization.data(withJSONObject: spec)
        let done = try Tool.succeed("python3", Self.script(name), in: folder, input: input, within: 120)
        return try JSONDecoder().decode(Answer.self, from: done.data)
    }

    static func script(_ name: String) -> [String] {
        let tests = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
        return ["-B", "-W", "ignore", tests.appendingPathComponent("Clients/\(name)").path]
    }

    private struct SCEPAnswer: Decodable {
        let http: Int
        let status, failInfo, request, retryAfter, certificate: String?

        private enum CodingKeys: String, CodingKey {
            case http, status, request, certificate
            case failInfo = "fail_info"
            case retryAfter = "retry_after"
        }
    }

    private struct ACMEAnswer: Decodable {
        let status: Int
        let type, request, retryAfter, certificate: String?

        private enum CodingKeys: String, CodingKey {
            case status, type, request, certificate
            case retryAfter = "retry_after"
        }
    }
}

extension Gate {
    /// The row of a request in audit.issuance; without an id the device's latest over that protocol.
    func row(_ request: String?, of device: String, over door: Door) throws -> [String: String?] {
        let rows =
            try request.map { try ledger("SELECT * FROM audit.issuance WHERE request_id = '\($0)'") }
            ?? issuance(of: device).filter { $0["protocol"] == door.rawValue }
        return rows.last ?? [:]
    }
}
