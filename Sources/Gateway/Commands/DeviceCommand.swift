import ArgumentParser
import EnrollmentCore
import Foundation
import Identity
import Ledger

/// `gatehouse device`
struct DeviceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "The device directory: import, list, show.",
        subcommands: [Import.self, List.self, Show.self])

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register devices from a file of one JSON object a line; all of them or none.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The file, or - for standard input.") var file: String
        @Flag(help: "Check the file; change nothing.") var dryRun = false

        func run() async throws {
            let contents =
                file == "-"
                ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
            guard let contents else {
                throw StartupError("cannot read \(file)", remedy: "name a readable file", exitCode: .notFound)
            }
            let devices: [DeviceFacts]
            do throws(DeviceImport.LineError) { devices = try DeviceImport.parse(Array(contents)) } catch {
                throw StartupError(
                    "\(file):\(error.line): \(error.problem)", remedy: "mend that line; nothing was imported",
                    exitCode: .invalid)
            }
            guard !dryRun else {
                return Output.message("\(devices.count) devices are fine; nothing was changed")
            }
            let stores = try Stores.open(common)
            let (now, actor) = (SystemClock().now(), try stores.actor())
            try await stores.directory.put(devices, at: now, by: actor)
            try await stores.ledger.append(
                AdminEvent(
                    at: now, actor: actor, action: "device.import", target: "\(devices.count) devices",
                    reason: "SHA-256 of the list: \(Digest(of: Array(contents)))"))
            Output.message("imported \(devices.count) devices")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List devices by id.")

        @OptionGroup var common: CommonOptions
        @Option(help: "Only of this group.") var group: String?
        @Option(help: "At most so many.") var limit: Int = 1_000

        func run() async throws {
            let devices = try await Stores.open(common).directory.list(group: group, limit: limit)
            let rows = devices.map { device in
                [
                    .string(device.id.rawValue), JSONValue(device.serial),
                    .string(device.groups.joined(separator: ";")), .string(device.dns.joined(separator: ";")),
                    JSONValue(device.owner),
                    .string(
                        device.posture.map { "\($0.source)=\($0.status.rawValue)" }.joined(separator: ";")),
                ] as [JSONValue]
            }
            Output(columns: ["id", "serial", "groups", "dns", "owner", "posture"], rows: rows)
                .print(as: common.output)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one device with every fact and its age.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The device's id.") var device: String

        func run() async throws {
            let id = try DeviceID.parse(device)
            guard let facts = try await Stores.open(common).directory.facts(for: id, at: SystemClock().now())
            else {
                throw StartupError(
                    "the directory knows no device \(id)", remedy: "gatehouse device list",
                    exitCode: .notFound)
            }
            let document = try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(facts))
            guard case .object(let members) = document else { return }
            Output.print(
                object: members.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, as: common.output)
        }
    }
}
