import ArgumentParser
import EnrollmentCore
import Identity
import Ledger
import Policy

/// `gatehouse credential`
struct CredentialCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credential", abstract: "Mint, list and revoke enrollment credentials.",
        subcommands: [Mint.self, List.self, Revoke.self])

    struct Mint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mint one single-use credential for one device.",
            discussion: "The secret is printed once and kept nowhere. The act is recorded with your name.")

        @OptionGroup var common: CommonOptions
        @Option(help: "The service whose door it opens.") var service: String
        @Option(help: "The device it is for, by its directory name.") var device: String
        @Option(help: "How long it may wait, e.g. 60m, 24h, 7d.") var ttl: LifeTime = LifeTime(seconds: 3_600)
        @Option(name: .customLong("protocol"), help: "Only for this protocol: scep, est or acme.")
        var enrollmentProtocol: EnrollmentProtocol?

        func run() async throws {
            let stores = try Stores.open(common)
            let service = ServiceName(service)
            let bundle = try await stores.policyInForce()?.bundle ?? .nothing
            guard let declared = bundle.service(named: service) else {
                let known = bundle.services.map(\.name.rawValue).sorted().joined(separator: ", ")
                throw StartupError(
                    "there is no service \(service)", remedy: "one of: \(known)", exitCode: .notFound)
            }
            if let wanted = enrollmentProtocol, !declared.protocols.contains(wanted) {
                throw StartupError(
                    "the service \(service) has no \(wanted.rawValue)",
                    remedy: "one of: \(declared.protocols.map(\.rawValue).sorted().joined(separator: ", "))",
                    exitCode: .usage)
            }
            let device = try await stores.registeredDevice(device)
            let mint = CredentialMint(
                store: stores.ledger, masterKeys: try KeyStore(state: stores.state).masterKeys(),
                clock: SystemClock(), random: SystemRandom())
            let minted = try await mint.mint(
                service: service, device: device, restrictedTo: enrollmentProtocol, timeToLive: ttl.seconds,
                actor: try stores.actor())
            let offered =
                enrollmentProtocol.map { [$0] } ?? declared.protocols.sorted { $0.rawValue < $1.rawValue }
            Output.print(object: Self.members(minted.record, minted.shapes, offered), as: common.output)
        }

        private static func members(
            _ record: CredentialRecord, _ shapes: CredentialShapes, _ protocols: [EnrollmentProtocol]
        ) -> [(String, JSONValue)] {
            func revealed(_ secret: Secret?) -> JSONValue {
                JSONValue(secret.map { String(decoding: $0.revealed, as: UTF8.self) })
            }
            var members: [(String, JSONValue)] = [
                ("id", .string(record.id.rawValue)), ("device", .string(record.device.rawValue)),
                ("service", .string(record.service.rawValue)),
                ("expires_at", .string(record.expiresAt.wholeSeconds.rfc3339)),
            ]
            for shape in protocols {
                switch shape {
                case .scep: members.append(("challenge_password", revealed(shapes.text(for: .scep))))
                case .est:
                    members.append(("username", .string(record.device.rawValue)))
                    members.append(("password", revealed(shapes.text(for: .est))))
                case .acme:
                    let key = shapes.externalAccountKey.map { Base64.encodeURLSafe($0.revealed) }
                    members.append(("kid", .string(record.id.rawValue)))
                    members.append(("hmac_key", JSONValue(key)))
                case .cmp: continue
                }
            }
            return members
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List credentials, newest first; never a secret.")

        @OptionGroup var common: CommonOptions
        @Option(help: "Only of this service.") var service: String?
        @Option(help: "Only of this device.") var device: String?
        @Option(help: "At most so many.") var limit: Int = 100

        func run() async throws {
            let stores = try Stores.open(common)
            let device = try device.map { try DeviceID.parse($0) }
            let records = try await stores.ledger.credentials(
                service: service.map { ServiceName($0) }, device: device, limit: limit)
            let now = SystemClock().now()
            let rows = records.map { record in
                [
                    .string(record.id.rawValue), .string(record.service.rawValue),
                    .string(record.device.rawValue), JSONValue(record.restrictedTo?.rawValue),
                    .string(Self.state(record, now)), .string(record.mintedAt.wholeSeconds.rfc3339),
                    .string(record.expiresAt.wholeSeconds.rfc3339), .string(record.mintedBy),
                ] as [JSONValue]
            }
            let columns = [
                "id", "service", "device", "protocol", "state", "minted_at", "expires_at", "minted_by",
            ]
            Output(columns: columns, rows: rows).print(as: common.output)
        }

        private static func state(_ record: CredentialRecord, _ now: Timestamp) -> String {
            if record.revokedAt != nil { return "revoked" }
            if record.consumedBy != nil { return "spent" }
            if let until = record.deferredUntil, now < until { return "waiting" }
            return now < record.expiresAt ? "usable" : "expired"
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a credential, recorded with your reason.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The credential's id.") var id: String
        @Option(help: "Why.") var reason: String

        func run() async throws {
            guard let id = CredentialID(id) else {
                throw StartupError(
                    "\(id) is no credential id", remedy: "see gatehouse credential list", exitCode: .usage)
            }
            let stores = try Stores.open(common)
            guard try await stores.ledger.credential(id) != nil else {
                throw StartupError(
                    "there is no credential \(id)", remedy: "see gatehouse credential list",
                    exitCode: .notFound)
            }
            let revoked = try await stores.ledger.revoke(
                id, at: SystemClock().now(), by: try stores.actor(), because: reason)
            Output.message(revoked ? "revoked \(id)" : "\(id) was revoked before")
        }
    }
}

extension EnrollmentProtocol: ExpressibleByArgument {
    /// Those that are served; CMP is not yet.
    public static var allValueStrings: [String] { ["scep", "est", "acme"] }
}

/// A life time on the command line: a number and a unit, `90s`, `60m`, `24h` or `7d`.
struct LifeTime: ExpressibleByArgument {
    let seconds: Int64
    /// 30 days: what waits longer is minted anew.
    private static let longest: Int64 = 30 * 86_400

    init(seconds: Int64) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }), let count = Int64(argument.dropLast()),
            (1...1_000_000).contains(count), count * unit <= Self.longest
        else { return nil }
        seconds = count * unit
    }

    var defaultValueDescription: String { "\(seconds / 60)m" }
}
