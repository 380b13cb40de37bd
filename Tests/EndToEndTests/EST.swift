import Foundation

/// EST by curl.
struct EST {
    let gate: Gate
    let folder: Folder
    let service: String

    init(_ gate: Gate, _ folder: Folder, service: String = "laptops") {
        self.gate = gate
        self.folder = folder
        self.service = service
    }

    /// An HTTP answer.
    struct Answer: CustomStringConvertible {
        let status: Int
        /// Names in lower case.
        let headers: [String: String]
        let body: Data

        var description: String {
            "HTTP \(status) \(headers) \(String(decoding: body.prefix(300), as: UTF8.self))"
        }

        /// The certificates in an answer of EST, as a PEM file.
        func certificate(in folder: Folder) throws -> String {
            let file = folder.fresh("certificates.pem")
            guard let der = Data(base64Encoded: body, options: .ignoreUnknownCharacters) else {
                throw Trouble("no base64: \(self)")
            }
            try Tool.succeed(
                "openssl", ["pkcs7", "-inform", "DER", "-print_certs", "-out", file], in: folder, input: der)
            return file
        }
    }

    func url(_ operation: String) throws -> String {
        "\(try gate.endpoints.tls)/.well-known/est/\(service)/\(operation)"
    }

    /// curl's options for one request.
    func arguments(_ made: KeyAndRequest, operation: String = "simpleenroll") throws -> [String] {
        [
            "--cacert", gate.root, "-H", "Content-Type: application/pkcs10", "--data-binary",
            "@\(made.base64)",
            try url(operation),
        ]
    }

    /// First enrolment with a one-time credential.
    func enrol(_ made: KeyAndRequest, user: String, options: [String] = []) throws -> Answer {
        try curl(try arguments(made) + ["-u", user] + options)
    }

    /// Renewal with the certificate it replaces.
    func renew(_ made: KeyAndRequest, certificate: String, key: String, options: [String] = []) throws
        -> Answer
    {
        try curl(
            try arguments(made, operation: "simplereenroll") + ["--cert", certificate, "--key", key] + options
        )
    }

    /// Any request by curl.
    func curl(_ arguments: [String]) throws -> Answer {
        let head = folder.fresh("head")
        let finished = try Tool.run(
            "curl", ["-sS", "--max-time", "30", "-D", head] + arguments, in: folder,
            environment: gate.clock)
        guard finished.status == 0 else { throw Trouble("curl: \(finished)") }
        return try Self.answer(head: head, body: finished.data)
    }

    static func answer(head: String, body: Data) throws -> Answer {
        // The last block is the answer; those before it are interim ones (100 Continue).
        let blocks = String(decoding: Data.contents(head), as: UTF8.self)
            .replacingOccurrences(of: "\r\n", with: "\n").components(separatedBy: "\n\n").filter {
                !$0.isEmpty
            }
        let lines = (blocks.last ?? "").components(separatedBy: "\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { throw Trouble("no status line: \(lines)") }
        let fields = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            return (line[..<colon].lowercased(), value)
        }
        return Answer(status: status, headers: Dictionary(fields) { "\($0), \($1)" }, body: body)
    }
}
