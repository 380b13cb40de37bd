import Foundation

/// SCEP by strongSwan's pki.
struct SCEP {
    let gate: Gate
    let folder: Folder
    let service: String

    init(_ gate: Gate, _ folder: Folder, service: String) throws {
        self.gate = gate
        self.folder = folder
        self.service = service
        try Tool.succeed(
            "pki",
            ["--scepca", "--url", try url(), "--caout", "ca.der", "--raout", "ra.der", "--force"], in: folder)
    }

    func url() throws -> String { "\(try gate.endpoints.http)/scep/\(service)" }

    /// Makes an RSA key; the path of its file.
    func key() throws -> String {
        let made = try Tool.succeed("pki", ["--gen", "--type", "rsa", "--size", "2048"], in: folder)
        let path = folder.fresh("key.der")
        try made.data.write(to: URL(fileURLWithPath: path))
        return path
    }

    /// The command line of an enrolment.
    ///
    /// - Parameter proof: `--password …`, or `--cert … --key …` of the certificate to be replaced.
    func arguments(_ device: TestDevice, key: String, proof: [String]) throws -> [String] {
        let authorities = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix("ca") && $0.hasSuffix(".der") }.sorted()
        return [
            "--scep", "--url", try url(), "--in", key, "--dn", "CN=\(device.id)", "--san", device.name,
            "--cacert-enc", "ra.der", "--cacert-sig", "ra.der", "--cacert", authorities.last ?? "ca.der",
            "--cacert", gate.root, "--interval", "1", "--maxpolltime", "30", "--outform", "pem",
        ] + proof
    }

    /// Enrols or renews; the path of the certificate.
    func enrol(_ device: TestDevice, key: String, proof: [String]) throws -> String {
        let done = try Tool.succeed("pki", try arguments(device, key: key, proof: proof), in: folder)
        return try save(done)
    }

    func save(_ done: Finished) throws -> String {
        let path = folder.fresh("certificate.pem")
        try done.data.write(to: URL(fileURLWithPath: path))
        return path
    }
}

/// SCEP by certmonger, on a session bus of its own and with nothing kept outside a folder.
struct Certmonger {
    let gate: Gate
    let folder: Folder

    var key: String { folder.file("key.pem") }
    var certificate: String { folder.file("certificate.pem") }

    /// Runs some commands of getcert while certmonger runs; fails with the first one that does.
    func session(_ commands: [String]) throws -> Finished {
        let states = ["conf", "requests", "cas", "local"]
        for state in states {
            try FileManager.default.createDirectory(
                atPath: folder.file(state), withIntermediateDirectories: true)
        }
        let script = """
            set -e
            certmonger -s -n -d 3 >>certmonger.log 2>&1 &
            certmonger=$!
            trap 'kill $certmonger; wait $certmonger || true' EXIT
            owned() {
                dbus-send --session --print-reply --dest=org.freedesktop.DBus / \
                    org.freedesktop.DBus.NameHasOwner string:org.fedorahosted.certmonger | grep -q true
            }
            for _ in $(seq 100); do owned && break; sleep 0.1; done
            \(commands.joined(separator: "\n"))
            """
        let file = try folder.write(script, to: "session.sh")
        return try Tool.run(
            "dbus-run-session", ["--", "sh", file], in: folder,
            environment: [
                "CERTMONGER_CONFIG_DIR": folder.file("conf"),
                "CERTMONGER_REQUESTS_DIR": folder.file("requests"),
                "CERTMONGER_CAS_DIR": folder.file("cas"), "CERTMONGER_LOCAL_CA_DIR": folder.file("local"),
            ], within: 90)
    }

    /// Tells certmonger of the gate.
    func authority(_ service: String, registrationAuthority: String) throws -> String {
        """
        getcert add-scep-ca -s -c gate -u \(try gate.endpoints.http)/scep/\(service) -R \(gate.root) \
            -r \(registrationAuthority) -N \(gate.root) -I \(gate.issuing)
        """
    }

    func request(_ device: TestDevice, _ credential: MintedCredential) -> String {
        """
        getcert request -s -c gate -I one -k \(key) -f \(certificate) -N CN=\(device.id) -D \(device.name) \
            -L \(credential.challengePassword ?? "") -w --wait-timeout 20 -v
        """
    }
}
