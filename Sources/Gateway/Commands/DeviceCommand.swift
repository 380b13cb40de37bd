import ArgumentParser
import EnrollmentCore
import Foundation
import Identity
import Ledger
import Synchronization

/// `gatehouse device`
struct DeviceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "The device directory: import, set, list, show.",
        subcommands: [Import.self, Change.self, List.self, Show.self])

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register devices from a file; all of them or none.",
            discussion: """
                As jsonl, one object a line: {"id":"LT-042","groups":["corp-laptops"],"owner":"jane"}. As \
                csv, a line of column names first; lists are split by ";". A device's facts are replaced \
                whole; see device set to change some.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The file, or - for standard input.") var file: String
        @Option(help: "How it is written: jsonl or csv. By default its name tells; jsonl for any other name.")
        var format: DeviceImport.Format?
        @Flag(help: "Check the file; change nothing.") var dryRun = false

        func run() async throws {
            let contents =
                file == "-"
                ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: file)
            guard let contents else {
                throw StartupError("cannot read \(file)", remedy: "name a readable file", exitCode: .notFound)
            }
            let devices: [DeviceFacts]
            let format = format ?? (file.lowercased().hasSuffix(".csv") ? .csv : .jsonl)
            do throws(DeviceImport.LineError) {
                devices = try DeviceImport.parse(Array(contents), as: format)
            } catch {
                throw StartupError(
                    "\(file):\(error.line): \(error.problem)", remedy: "mend that line; nothing was imported",
                    exitCode: .invalid)
            }
            guard !dryRun else {
                return Output.message("\(devices.count) devices are fine; nothing was changed")
            }
            let stores = try Stores.open(common)
            let event = AdminEvent(
                at: SystemClock().now(), actor: try stores.actor(), action: "device.import",
                target: "\(devices.count) devices",
                reason: "SHA-256 of the list: \(Digest(of: Array(contents)))")
            let bar = Mutex(ProgressBar(total: devices.count, label: "importing"))
            defer { bar.withLock { $0.finish() } }
            try await stores.directory.put(
                devices, recording: event, id: RequestID(at: event.at, random: SystemRandom().octets(10))
            ) { done in bar.withLock { $0.advance(to: done) } }
            bar.withLock { $0.finish() }
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

extension DeviceImport.Format: ExpressibleByArgument {}
