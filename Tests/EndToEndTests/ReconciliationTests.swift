import Foundation
import Testing

/// `gatehouse ledger reconcile`
extension LedgerCommandTests {
    /// A certificate that the gate's own issuing key signed behind the gate's back; its PEM file.
    private func rogue(serial: String) throws -> String {
        let made = try Judge.request(subject: "/CN=rogue", in: folder)
        let file = folder.fresh("rogue.pem")
        try Tool.succeed(
            "openssl",
            [
                "x509", "-req", "-inform", "DER", "-in", made.request, "-CA", gate.issuing, "-CAkey",
                "\(gate.state)/pki/issuing.key", "-set_serial", "0x\(serial)", "-days", "3", "-out", file,
            ], in: folder)
        return file
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
        let files = certificates + [gate.root, gate.issuing, try stranger()]
        let whole = try bundle(files, to: "bundle.pem")
        let result = try reconcile(whole)
        #expect(result.done.status == 0 && result.rows.isEmpty, "\(result.done)")
        #expect(result.done.output == "[]\n")
        #expect(
            result.done.messages.contains("4 certificates of our issuers, 0 rogue; 1 of other issuers; 0 not")
        )
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
        let digest = try Judge.read(file, ["-fingerprint", "-sha256"], in: folder)
            .split(separator: "=").last.map { $0.replacingOccurrences(of: ":", with: "").lowercased() }
        #expect(row["certificate_sha256"] == digest)
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
        #expect(result.done.messages.contains("1 certificates of our issuers, 0 rogue"))
        #expect(try reconcile(folder.file("none")).done.status == 4)
        let empty = try reconcile(folder.folder("nothing").path).done
        #expect(empty.status == 1 && empty.messages.contains("holds no certificate"), "\(empty)")
    }
}
