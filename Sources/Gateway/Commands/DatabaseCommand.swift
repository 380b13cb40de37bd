import ArgumentParser
import Database
import EnrollmentCore
import Policy

/// `gatehouse db`
struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: "The database schema.", subcommands: [Migrate.self, Status.self])

    struct Migrate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Apply what is missing, as the migrator's login. Never done by serve.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            let applied = try Stores.open(common).migrate()
            Output.message(
                applied.isEmpty ? "the schema is up to date" : "applied \(applied.joined(separator: ", "))")
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the schema's steps and which are applied.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            let steps: [Migrator.Status]
            let migrator = try Stores.open(common).migrator
            do throws(MigrationError) { steps = try migrator.status() } catch {
                throw Stores.fault(error)
            }
            let rows = steps.map {
                [.integer($0.number), .string($0.name), .bool($0.isApplied)] as [JSONValue]
            }
            Output(columns: ["number", "name", "applied"], rows: rows).print(as: common.output)
            guard steps.allSatisfy(\.isApplied) else { throw ExitCode(ExitStatus.negative.rawValue) }
        }
    }
}

/// `gatehouse config`
struct Config: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "The configuration.", subcommands: [Check.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read configuration and policy bundle strictly; change nothing.")

        @OptionGroup var common: CommonOptions

        func run() throws {
            let (_, configuration) = try Stores.configured(common, checksFiles: true)
            let log = configuration.log
            let bundle = try Stores.policyBundle(in: configuration.policies)
            Output.print(
                object: [
                    ("instance", .string(configuration.instance)),
                    ("policies", .string(configuration.policies)),
                    ("policy", .string(bundle.digest.description)),
                    (
                        "database",
                        .string(configuration.database.isEmbedded ? "embedded" : configuration.database.host)
                    ),
                    ("log", .string(log.origin ?? "as in pki/log.vkey")),
                    ("publications", .integer(Int64(log.directories.count + log.appendFiles.count))),
                    ("witnesses", .integer(Int64(log.witnesses.count))),
                    ("feeds", .integer(Int64(configuration.feeds.count))),
                    ("tls", .string(configuration.tls.url("https", configuration.tls.port))),
                    ("http", .string(configuration.http.url("http", configuration.http.port))),
                    ("admin", .string(configuration.admin.url("http", configuration.admin.port))),
                ], as: common.output)
        }
    }
}
