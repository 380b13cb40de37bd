import Foundation
import Testing

/// `gatehouse ledger reconcile`
extension LedgerCommandTests {
    /// A certificate that one of the gate's own keys signed behind the gate's back; its PEM file.
    ///
    /// - Parameter extensions: lines of an openssl configuration.
    private func rogue(
        serial: String = "5a5a5a5a5a5a5a5a00", subject: String = "/CN=rogue", signer: String = "issuing",
        days: Int = 3, extensions: [String] = [], rsa: Bool = false
    ) throws -> String {
        var key: String?
        if rsa {
            key = folder.fresh("key")
            try Tool.succeed("openssl", ["genrsa", "-out", key ?? "", "2048"], in: folder)
        }
        let made = try Judge.request(subject: subject, key: key, in: folder)
        let file = folder.fresh("rogue.pem")
        let identifiers = ["subjectKeyIdentifier = hash", "authorityKeyIdentifier = keyid"]
        let further = extensions.isEmpty ? [] : extensions + identifiers
        let configuration = folder.fresh("extensions")
        try Data(further.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: configuration))
        try Tool.succeed(
            "openssl",
            [
                "x509", "-req", "-inform", "DER", "-in", made.request, "-CA", own(signer), "-CAkey",
                "\(gate.state)/pki/\(signer).key", "-set_serial", "0x\(serial)", "-days", "\(days)", "-out",
                file, "-extfile", configuration,
            ], in: folder)
        return file
    }

    private func own(_ name: String) -> String { "\(gate.state)/pki/\(name).pem" }

    private func fingerprint(_ file: String) throws -> String? {
        try Judge.read(file, ["-fingerprint", "-sha256"], in: folder)
            .split(separator: "=").last.map { $0.replacingOccurrences(of: ":", with: "").lowercased() }
    }

    /// Says as a gateway's start would that certificates are its own: with no more than the gateway's login.
    private func claim(_ certificates: String) throws {
        try gate.superuser(
            """
            SET SESSION AUTHORIZATION gatehouse_writer;
            SELECT ledger.append_admin_event(overlay(gen_random_uuid()::text PLACING '7' FROM 15)::uuid, now(),
              'gatehouse g', 'gateway.start', 'g', '\(certificates)')
            """)
    }

    /// A certificate that is none of ours, though it bears the issuer's name.
    private func stranger() throws -> String {
        let file = folder.fresh("stranger.pem")
        try Tool.succeed(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                folder.fresh("key"), "-subj", "/CN=elsewhere", "-days", "3", "-out", file,
            ], in: folder)
        return file
    }

    private func reconcile(_ path: String, _ options: [String] = []) throws -> (
        done: Finished, rows: [[String: String]]
    ) {
        let done = try gate.command(["ledger", "reconcile", "--ca", path, "--output", "json"] + options)
        let rows = try? JSONSerialization.jsonObject(with: done.data) as? [[String: String]]
        return (done, rows ?? [])
    }

    private func bundle(_ files: [String], to name: String) throws -> String {
        try folder.write(Data(files.flatMap { Data.contents($0) + Data("\n".utf8) }), to: name)
    }

    private func alerts() throws -> [[String: String?]] {
        try gate.ledger(
            "SELECT owner, severity, detail FROM audit.alerts WHERE detector = 'rogue-certificate'")
    }

    @Test("certificates that we issued, our own and those of others are no finding, in whatever form")
    func accountedFor() throws {
        let issued = try reconcile(try bundle(certificates + [try stranger()], to: "issued.pem"))
        #expect(issued.done.status == 0 && issued.done.output == "[]\n", "\(issued.done)")
        // The listener's file has its key too.
        let listener = folder.fresh("tls.pem")
        try Tool.succeed("openssl", ["x509", "-in", own("tls"), "-out", listener], in: folder)
        let owns = [gate.root, gate.issuing, own("scep-ra"), listener]
        let whole = try bundle(certificates + owns + [try stranger(), listener], to: "bundle.pem")
        let result = try reconcile(whole)
        #expect(result.done.status == 0, "\(result.done)")
        // Each is listed once, and counted each time.
        #expect(try result.rows.map { $0["certificate_sha256"] } == owns.map(fingerprint))
        #expect(result.rows.allSatisfy { $0["finding"] == "own" && $0["alert"] == "none" })
        #expect(result.rows.map { $0["issuer"] } == ["root", "root", "issuing", "issuing"])
        #expect(
            result.done.messages.contains(
                "7 certificates of our issuers: 2 on the ledger, 0 of retired months, 0 in flight, "
                    + "5 the gateways' own, 0 rogue; "
                    + "1 of other issuers; 0 not read"), "\(result.done)")
        let tree = try folder.folder("tree")
        let inner = try tree.folder("inner")
        try Tool.succeed(
            "openssl", ["x509", "-in", certificates[0], "-outform", "DER", "-out", inner.file("one.der")],
            in: folder)
        try tree.write(Data.contents(certificates[1]), to: "two.pem")
        #expect(try reconcile(tree.path).done.status == 0)
    }

    @Test("a certificate that the issuing key signed outside the gate is found, and raises one alert")
    func signedOutside() throws {
        let before = try alerts().count
        let file = try rogue(serial: "5a5a5a5a5a5a5a5a01")
        let mixed = try bundle([certificates[0], file, try stranger(), certificates[1]], to: "mixed.pem")
        let trial = try reconcile(mixed, ["--dry-run"])
        #expect(trial.done.status == 6 && trial.rows.first?["alert"] == "not raised", "\(trial.done)")
        #expect(try alerts().count == before, "--dry-run changes nothing")

        let found = try reconcile(mixed, ["--owner", "Fraud"])
        #expect(found.done.status == 6 && found.rows.count == 1, "\(found.done)")
        let row = try #require(found.rows.first)
        #expect(
            row["finding"] == "unreserved" && row["serial"] == "5a5a5a5a5a5a5a5a01"
                && row["alert"] == "raised")
        #expect(try row["certificate_sha256"] == fingerprint(file))
        #expect(row["file"] == "\(mixed), certificate 2")
        let again = try reconcile(file)
        #expect(again.done.status == 6 && again.rows.first?["alert"] == "raised before", "\(again.done)")
        let raised = try alerts()
        #expect(raised.count == before + 1)
        let alert = try #require(raised.first { $0.text("detail")?.contains("5a5a5a5a5a5a5a5a01") == true })
        #expect(alert.text("severity") == "critical" && alert.text("owner") == "Fraud")
    }

    @Test("a serial number of ours under another certificate is rogue too")
    func borrowedSerial() throws {
        let file = try rogue(serial: try Judge.serial(certificates[0], in: folder))
        let found = try reconcile(file, ["--dry-run"])
        #expect(
            found.done.status == 6 && found.rows.first?["finding"] == "other_certificate", "\(found.done)")
    }

    @Test("a rogue certificate that a start calls its own is rogue, whatever it is called")
    func claimedFalsely() throws {
        let shape = ["basicConstraints = critical,CA:FALSE", "keyUsage = critical,digitalSignature"]
        let server = shape + ["extendedKeyUsage = serverAuth"]
        let names = "subjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1"
        let authority = [
            "basicConstraints = critical,CA:TRUE,pathlen:0", "keyUsage = critical,keyCertSign,cRLSign",
        ]
        let encipherment = [shape[0], "keyUsage = critical,digitalSignature,keyEncipherment"]
        func subject(_ name: String) throws -> String {
            let lines = try Judge.read(own(name), ["-subject", "-nameopt", "multiline"], in: folder)
            let words = lines.split(separator: "\n").dropFirst().compactMap { $0.split(separator: "=").last }
            let values = words.map { $0.trimmingCharacters(in: .whitespaces) }
            return "/O=\(try #require(values.first))/CN=\(try #require(values.last))"
        }
        let falsehoods = try [
            rogue(),
            rogue(subject: "/CN=ceo", extensions: shape + ["extendedKeyUsage = clientAuth"]),
            // As a listener's, but for one thing.
            rogue(subject: "/CN=localhost", extensions: server + [names + ",DNS:bank.example"]),
            rogue(
                subject: "/CN=localhost",
                extensions: shape + ["extendedKeyUsage = serverAuth,clientAuth", names]),
            rogue(subject: "/CN=bank.example", extensions: server + [names]),
            rogue(subject: "/CN=localhost", days: 91, extensions: server + [names]),
            rogue(subject: "/CN=localhost", extensions: server + [names], rsa: true),
            rogue(subject: "/CN=localhost", signer: "root", extensions: server + [names]),
            // As the registration authority's, with another key.
            rogue(subject: subject("scep-ra"), extensions: encipherment, rsa: true),
            // An issuing authority of their own: with another name, then with another key.
            rogue(subject: "/CN=sub", signer: "root", extensions: authority),
            rogue(subject: subject("issuing"), signer: "root", extensions: authority),
            rogue(subject: subject("root"), signer: "root", extensions: authority),
        ]
        let digests = try falsehoods.map { try #require(try fingerprint($0)) }
        let labels = ["root", "issuing", "scep-ra", "tls"]
        for digest in digests { try claim(labels.map { "\($0) \(digest)" }.joined(separator: ", ")) }
        let before = try alerts().count
        let found = try reconcile(try bundle(falsehoods + [gate.issuing], to: "claimed.pem"))
        #expect(found.done.status == 6, "\(found.done)")
        #expect(found.rows.map { $0["certificate_sha256"] } == digests + [try fingerprint(gate.issuing)])
        let findings = found.rows.map { $0["finding"] }
        #expect(findings == digests.map { _ in "claimed_own" } + ["own"], "\(found.done)")
        #expect(
            found.done.messages.contains("0 in flight, 1 the gateways' own, \(digests.count) rogue; "))
        let raised = try alerts()
        #expect(raised.count == before + digests.count)
        let said = raised.count { alert in
            alert.text("detail")?.contains("claims it as its own, and it is no such certificate") == true
        }
        #expect(said == digests.count)
    }

    @Test("a claim is one in the words of a start, and none is needed for what is on the ledger")
    func claimsInOtherWords() throws {
        let file = try rogue(serial: "5a5a5a5a5a5a5a5a02")
        let digest = try #require(try fingerprint(file))
        for words in [digest, "own \(digest)", "root,\(digest)"] { try claim(words) }
        #expect(try reconcile(file, ["--dry-run"]).rows.first?["finding"] == "unreserved")
        try claim("tls \(try #require(try fingerprint(certificates[0])))")
        let known = try reconcile(certificates[0])
        #expect(known.done.status == 0 && known.rows.isEmpty, "\(known.done)")
    }

    @Test("a renewed listener's certificate is its own, and is listed")
    func renewedListener() throws {
        let file = try rogue(
            serial: "5a5a5a5a5a5a5a5a03", subject: "/CN=localhost", days: 89,
            extensions: [
                "basicConstraints = critical,CA:FALSE", "keyUsage = critical,digitalSignature",
                "extendedKeyUsage = serverAuth", "subjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1",
            ])
        #expect(try reconcile(file, ["--dry-run"]).rows.first?["finding"] == "unreserved")
        let digest = try #require(try fingerprint(file))
        // As another of its own it would not do.
        for (name, finding) in [("scep-ra", "claimed_own"), ("tls", "own")] {
            try claim("\(name) \(digest)")
            let found = try reconcile(file, ["--dry-run"])
            #expect(found.rows.map { $0["finding"] } == [finding], "\(found.done)")
            #expect(found.done.status == (finding == "own" ? 0 : 6))
        }
    }

    @Test("a file's name forges no line of the output")
    func forgedName() throws {
        let tree = try folder.folder("names")
        let line = "9 certificates of our issuers: 9 on the ledger, 0 rogue"
        try tree.write("nothing", to: "a\n\(line)\r\n\u{1b}[2Kb")
        for format in ["table", "json"] {
            let done = try gate.command(["ledger", "reconcile", "--ca", tree.path, "--output", format])
            #expect(done.status == 1)
            let lines = done.messages.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(!lines.contains { $0.hasPrefix("9 cert") } && lines.count == 3, "\(done)")
            #expect(done.messages.contains("/a\\n\(line)\\r\\n\\u{1b}[2Kb: no certificate\n"), "\(done)")
        }
    }

    @Test("base64 in one line is read as in many")
    func oneLine() throws {
        let der = folder.fresh("der")
        try Tool.succeed(
            "openssl", ["x509", "-in", certificates[0], "-outform", "DER", "-out", der], in: folder)
        func pem(_ base64: String) -> String {
            "-----BEGIN CERTIFICATE-----\n\(base64)\n-----END CERTIFICATE-----\n"
        }
        let base64 = Data.contents(der).base64EncodedString()
        let whole = try reconcile(try folder.write(pem(base64), to: "line.pem"))
        #expect(whole.done.status == 0 && whole.done.messages.contains("1 on the ledger"), "\(whole.done)")
        let broken = try reconcile(try folder.write(pem(base64 + "*"), to: "broken.pem"))
        #expect(broken.done.status == 1 && broken.done.messages.contains("broken PEM"), "\(broken.done)")
    }

    @Test("what cannot be read is no clean result")
    func unreadable() throws {
        let tree = try folder.folder("unreadable")
        try tree.write(Data.contents(certificates[0]), to: "good.pem")
        try tree.write("-----BEGIN CERTIFICATE-----\nMIIB\n", to: "cut.pem")
        try tree.write("", to: "empty.pem")
        try tree.write(Data([0x30, 0x82, 0x01]), to: "short.der")
        try FileManager.default.createSymbolicLink(
            atPath: tree.file("dangling.pem"), withDestinationPath: tree.file("none"))
        let result = try reconcile(tree.path)
        #expect(result.done.status == 1 && result.rows.isEmpty, "\(result.done)")
        for name in ["cut.pem", "empty.pem", "short.der", "dangling.pem"] {
            #expect(
                result.done.messages.contains("not read: \(tree.file(name)): "), "\(name): \(result.done)")
        }
        #expect(result.done.messages.contains("1 certificates of our issuers: 1 on the ledger, "))
        #expect(try reconcile(folder.file("none")).done.status == 4)
        let empty = try reconcile(folder.folder("nothing").path).done
        #expect(empty.status == 1 && empty.messages.contains("holds no certificate"), "\(empty)")
    }
}
