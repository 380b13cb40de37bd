import ArgumentParser
import EnrollmentCore
import Foundation
import Policy

extension PolicyCommand {
    /// `gatehouse policy schema`
    struct Schema: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "JSON Schemas of the policy language, for editors that complete and mark errors.",
            discussion: "Without --write it lists them; with a name it prints that one.")

        @Argument(help: "One schema, e.g. policy-v1, to print it.") var name: String?
        @Option(
            name: .long, help: "Write them all to .schema below this directory, usually the bundle's.")
        var write: String?
        @Option(name: .long, help: "How to print data: table, json, jsonl or csv.") var output: OutputFormat =
            .table

        func run() throws {
            let files = PolicySchemas.files()
            if let write { return try Self.write(files, below: write) }
            guard let name else {
                let rows: [[JSONValue]] = files.map { [.string(Self.name($0.path)), .string($0.path)] }
                return Output(columns: ["schema", "path"], rows: rows).print(as: output)
            }
            guard let file = files.first(where: { Self.name($0.path) == name }) else {
                let known = files.map { Self.name($0.path) }.joined(separator: ", ")
                Output.message("no schema `\(name)` (known: \(known))")
                throw ExitCode(ExitStatus.notFound.rawValue)
            }
            Output.write(file.text)
        }

        private static func name(_ path: String) -> String {
            String(path.split(separator: "/").last?.dropLast(".json".count) ?? "")
        }

        private static func write(_ files: [(path: String, text: String)], below directory: String) throws {
            let folder = directory + "/" + PolicySchemas.folder
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                for file in files {
                    try Data(file.text.utf8).write(to: URL(filePath: directory + "/" + file.path))
                }
            } catch {
                Output.message("\(folder) cannot be written: \(error.localizedDescription)")
                throw ExitCode(ExitStatus.dependencyUnavailable.rawValue)
            }
            Output.message("\(files.count) schemas written to \(folder)")
        }
    }
}
