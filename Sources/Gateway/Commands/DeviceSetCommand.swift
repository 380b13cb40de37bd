import ArgumentParser
import EnrollmentCore
import Identity

extension DeviceCommand {
    /// `gatehouse device set`
    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Change facts of one device; what is not named stays as it is.",
            discussion: """
                Members of lists carry a sign: --group +corp-laptops --group -servers. An empty value takes \
                a value away: --owner "". A posture fact replaces what that source said before: --posture \
                source=intune,status=compliant,jailbroken=false,observed_at=now; --posture -intune forgets \
                it.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The device's id.") var device: String
        @Option(help: "The serial number.") var serial: String?
        @Option(help: "The Apple unique device identifier.") var udid: String?
        @Option(help: "The Windows security identifier.") var sid: String?
        @Option(help: "The person answerable for it.") var owner: String?
        @Option(parsing: .unconditionalSingleValue, help: "+NAME or -NAME; may be repeated.")
        var group: [String] = []
        @Option(parsing: .unconditionalSingleValue, help: "A DNS name, with its sign; may be repeated.")
        var dns: [String] = []
        @Option(parsing: .unconditionalSingleValue, help: "An address, with its sign; may be repeated.")
        var email: [String] = []
        @Option(parsing: .unconditionalSingleValue, help: "A user principal name, with its sign.")
        var upn: [String] = []
        @Option(parsing: .unconditionalSingleValue, help: "What one source says, or -SOURCE.")
        var posture: [String] = []
        @Flag(help: "Say what would change; change nothing.") var dryRun = false

        func run() async throws {
            let id = try DeviceID.parse(device)
            let now = SystemClock().now()
            let change = try change(at: now)
            let stores = try Stores.open(common)
            guard let difference = try await difference(id, change, stores, now) else {
                throw StartupError(
                    "the directory knows no device \(id)", remedy: "gatehouse device import FILE",
                    exitCode: .notFound)
            }
            let rows = difference.fields.map { [.string($0.name), $0.old, $0.new] as [JSONValue] }
            Output(columns: ["field", "old", "new"], rows: rows).print(as: common.output)
            let count = difference.fields.count == 1 ? "1 fact" : "\(difference.fields.count) facts"
            Output.message(dryRun ? "would change \(count) of \(id)" : "changed \(count) of \(id)")
        }

        private func change(at now: Timestamp) throws -> DeviceChange {
            let values = ["serial": serial, "udid": udid, "sid": sid, "owner": owner].compactMapValues { $0 }
            let lists = ["groups": group, "dns": dns, "email": email, "upn": upn]
            let remedy = "see gatehouse device set --help"
            let change: DeviceChange
            do throws(DeviceChange.Problem) {
                change = try DeviceChange(values: values, lists: lists, posture: posture, at: now)
            } catch {
                throw StartupError(error.description, remedy: remedy, exitCode: .usage)
            }
            guard !change.isEmpty else {
                throw StartupError("nothing to change is named", remedy: remedy, exitCode: .usage)
            }
            return change
        }

        /// Nil when there is no such device.
        private func difference(
            _ id: DeviceID, _ change: DeviceChange, _ stores: Stores, _ now: Timestamp
        ) async throws -> DeviceDifference? {
            guard dryRun else {
                return try await stores.directory.set(
                    id, change, at: now, by: try stores.actor(),
                    id: RequestID(at: now, random: SystemRandom().octets(10)))
            }
            guard let facts = try await stores.directory.facts(for: id, at: now) else { return nil }
            return DeviceDifference(from: facts, to: change.applied(to: facts))
        }
    }
}
