import EnrollmentCore
import Foundation

/// Where a running gateway can be reached, for people and scripts: `run/endpoints.json`.
struct Endpoints {
    let tls: String
    let http: String
    let admin: String
    let http01Port: Int

    static func path(_ state: StateDirectory) -> String { "\(state.run)/endpoints.json" }

    func write(to state: StateDirectory) throws {
        let document: JSONValue = [
            "tls": .string(tls), "http": .string(http), "admin": .string(admin),
            "http01_port": .integer(Int64(http01Port)), "process": .integer(Int64(getpid())),
        ]
        // Renamed into place: a reader sees all of it or nothing.
        let unfinished = Self.path(state) + ".unfinished"
        try StateDirectory.writePrivate(Array(document.canonicalText.utf8), to: unfinished)
        guard rename(unfinished, Self.path(state)) == 0 else {
            throw StartupError("cannot write \(Self.path(state))", remedy: "free disk space or permissions")
        }
    }

    /// What `up` prints: where it listens and one command for each protocol, ready to paste.
    ///
    /// - Parameter objection: why nothing is issued; nil when it is.
    func welcome(_ state: StateDirectory, objection: String?) -> String {
        """
        \(objection.map { "Gatehouse listens, but issues nothing: \($0)" } ?? "Gatehouse is ready.")
          TLS    \(tls)    EST, ACME, SCEP
          HTTP   \(http)    SCEP
          admin  \(admin)    /livez, /readyz, /metrics, /log
          root   \(state.pki)/root.pem

        Register a device:
          gatehouse device import devices.jsonl --state \(state.path)
        Mint a credential, then enrol with it:
          gatehouse credential mint --service laptops --device LT-042 --output json --state \(state.path)
        EST   openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout est.key \\
                -subj /CN=LT-042 -outform DER | base64 > est.b64
              curl --cacert \(state.pki)/root.pem -u LT-042:PASSWORD \\
                -H 'Content-Type: application/pkcs10' --data-binary @est.b64 \\
                \(tls)/.well-known/est/laptops/simpleenroll
        SCEP  pki --scepca --url \(http)/scep/laptops --caout ca.der --raout ra.der --force
              pki --gen --type rsa --size 2048 > scep.key
              pki --scep --url \(http)/scep/laptops --in scep.key --dn CN=LT-042 --password CHALLENGE \\
                --cacert-enc ra.der --cacert-sig ra.der --cacert ca-1.der --cacert \(state.pki)/root.pem \\
                --outform pem > scep.pem
        ACME  LEGO_CA_CERTIFICATES=\(state.pki)/root.pem \\
              lego --server \(tls)/acme/laptops/directory --eab --kid KID --hmac HMAC_KEY \\
                --domains lt-042.devices.localhost --email you@example.org --accept-tos \\
                --http --http.port 127.0.0.1:\(http01Port) run

        Stop it with Ctrl-C.

        """
    }
}
