import EventFeed

/// The effective configuration of one gateway: what `gatehouse.yaml` says, with defaults for the rest.
struct Configuration: Sendable, Equatable {
    /// Names this gateway among its replicas in the ledger; made at first start.
    var instance: String
    /// The live policy bundle, absolute.
    var policies: String
    var tls = Listener(host: "127.0.0.1", port: 8443)
    var http = Listener(host: "127.0.0.1", port: 8080)
    var admin = Listener(host: "127.0.0.1", port: 9443)
    var database: Database
    var acme = DomainValidation()
    /// Other systems that the ledger's events are carried to.
    var feeds: [Feed] = []
    var log: TransparencyLog

    /// One listening socket.
    struct Listener: Sendable, Equatable {
        /// An IP address of this computer.
        var host: String
        /// 0 takes any free port.
        var port: Int
        /// How clients reach it, without a trailing slash; nil builds it from host and port. Never taken from
        /// a request.
        var baseURL: String?

        init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// A PostgreSQL server and the logins to use there.
    struct Database: Sendable, Equatable {
        /// Whether `up` runs a private cluster below the state directory.
        var isEmbedded: Bool
        /// A host name, or the directory of a Unix socket.
        var host: String
        var port = 5432
        var name = "gatehouse"
        var migrator = "gatehouse_migrator"
        var writer = "gatehouse_writer"
        var auditor = "gatehouse_auditor"
        var sequencer = "gatehouse_sequencer"
        var verifier = "gatehouse_verifier"
    }

    /// The transparency log: who signs it, and where its checkpoints go.
    struct TransparencyLog: Sendable, Equatable {
        /// The log's name; nil takes that of `pki/log.vkey`, or a new one at first start.
        var origin: String?
        /// The private key that signs checkpoints, absolute; nil takes `secrets/checkpoint.key` where there
        /// is one. A gateway without a key does not sequence.
        var checkpointKey: String?
        /// Folders that get the checkpoint and the tiles, absolute.
        var directories: [String]
        /// Files to which each checkpoint is appended, absolute.
        var appendFiles: [String]
        var witnesses: [Witness] = []
        /// How many witnesses a receipt waits for.
        var quorum = 0
    }

    /// Somebody else who signs that our log only grows (C2SP tlog-witness).
    struct Witness: Sendable, Equatable {
        /// Submission prefix, without a slash at the end.
        var url: String
        /// A vkey of type `cosignature/v1`.
        var key: String
        /// A PEM file with whom to trust for `https`; nil for the system's.
        var trustAnchors: String?
    }

    /// How ACME's domain control validation reaches the names it validates.
    struct DomainValidation: Sendable, Equatable {
        var http01Port = 80
        var tlsALPN01Port = 443
        /// CIDR notation. Everything else that is loopback, link-local or private stays blocked.
        var allowedNetworks: [String] = []
        /// Whether names under `.localhost` mean loopback without a look-up (RFC 6761 §6.3).
        var resolvesLocalhost = false
    }
}
