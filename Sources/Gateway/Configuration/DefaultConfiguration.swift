/// The `gatehouse.yaml` that `up` writes at first start: every key, commented.
enum DefaultConfiguration {
    static func text(instance: String) -> String {
        """
        # Gatehouse configuration. An unknown key is an error; what is left out takes the value shown.

        # This gateway's name in the ledger, different for each replica.
        instance: \(instance)

        # The live policy bundle, relative to the state directory.
        policies: policies

        # Where it listens. Port 0 takes any free port. `base_url` is how clients reach a listener, never
        # taken from a request; without it, it is built from host and port.
        listeners:
          tls: { host: 127.0.0.1, port: 8443 }     # EST, ACME, SCEP over HTTPS
          http: { host: 127.0.0.1, port: 8080 }    # SCEP
          admin: { host: 127.0.0.1, port: 9443 }   # /livez, /readyz, /metrics, /log

        # Without `database`, `gatehouse up` runs a private PostgreSQL below this directory.
        # database: { host: db.example, port: 5432, name: gatehouse,
        #             migrator: gatehouse_migrator, writer: gatehouse_writer, auditor: gatehouse_auditor,
        #             sequencer: gatehouse_sequencer, verifier: gatehouse_verifier }

        \(log)
        # ACME domain validation. These values let anyone try it without root: names under .localhost are
        # loopback, and http-01 calls port 5002. A production service removes them all: ports 80 and 443, the
        # system's resolver, public addresses only.
        acme:
          http01_port: 5002
          tls_alpn01_port: 5001
          allowed_networks: [127.0.0.0/8, "::1/128"]
          resolve_localhost: true

        """
    }

    private static let log = """
        # The transparency log. Its name, unless given here, is the one in pki/log.vkey. This gateway signs it
        # while it has the checkpoint key, and publishes to these places; add one that the administrator of
        # the database cannot change, and witnesses.
        # log:
        #   origin: gate.example/ledger
        #   checkpoint_key: secrets/checkpoint.key
        #   publish: { directories: [log], append_files: [log/checkpoints.txt] }
        #   witnesses: [{ url: https://witness.example, key: witness.example+1a2b3c4d+BASE64 }]
        #   quorum: 0

        """
}
