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
