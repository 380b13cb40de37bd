import EnrollmentCore
import Foundation
import Testing

@testable import Policy

/// The JSON Schemas for editors: up to date, at the head of every file, and of one mind with loading.
struct SchemaTests {
    @Test func theCommittedOnesAreThese() throws {
        let folder = StarterBundle.directory + "/" + PolicySchemas.folder
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        #expect(names.map { "\(PolicySchemas.folder)/\($0)" } == PolicySchemas.files().map(\.path))
        for file in PolicySchemas.files() {
            let committed = FileManager.default.contents(atPath: StarterBundle.directory + "/" + file.path)
            #expect(
                committed == Data(file.text.utf8),
                "\(file.path): run `gatehouse policy schema --write policies`")
        }
    }

    /// The first line of a starter file tells editors its schema, by a path that leads there.
    @Test func everyFileNamesItsSchema() throws {
        for file in try StarterBundle.files() {
            let name = try #require(PolicySchemas.name(for: file.path))
            let up = String(repeating: "../", count: file.path.split(separator: "/").count - 1)
            let line = "# yaml-language-server: $schema=\(up).schema/\(name).json"
            #expect(
                String(decoding: file.bytes, as: UTF8.self).hasPrefix(line + "\n"), "\(file.path): \(line)")
        }
    }

    /// Every member of every mapping has a description, and every key stands there once.
    @Test func shapesAreWellFormed() {
        func visit(_ shape: MappingShape) {
            #expect(Set(shape.keys).count == shape.keys.count, "\(shape.description)")
            for member in shape.members {
                #expect(member.description.hasSuffix("."), "\(member.key): \(member.description)")
                visit(member.value)
            }
        }
        func visit(_ value: ValueShape) {
            switch value {
            case .mapping(let shape): visit(shape)
            case .members(let value, _), .sequence(let value), .list(let value), .openList(let value):
                visit(value)
            case .either(let values): values.forEach(visit)
            case .text, .name, .duration, .date, .instant, .boolean, .integer, .words, .only, .conditions,
                .anything:
                return
            }
        }
        visit(RuleShapes.rule)
        visit(CaseShapes.file)
        visit(CatalogShapes.owners)
        for section in CatalogShapes.sections { visit(section.entry) }
    }

    /// An independent judge: a validator from PyPI finds nothing wrong with the starter bundle, and marks
    /// every broken bundle whose fault one file shows by itself.
    @Test func aValidatorAgrees() throws {
        guard let python = PythonTool.path(with: ["jsonschema", "yaml"]) else {
            throw SkipPython(
                description: "python3 with jsonschema and PyYAML is needed: `make test` installs it")
        }
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/broken-bundles/judge.py").path(percentEncoded: false)
        let result = try PythonTool.run(python, [script, StarterBundle.directory, BrokenBundle.root])
        #expect(result.status == 0, "\(result.output)")
    }
}

/// Why the judge cannot be asked.
struct SkipPython: Error, CustomStringConvertible { let description: String }

/// Python from `GATEHOUSE_TOOLS`, or from `PATH`.
enum PythonTool {
    /// The first interpreter that has these modules.
    static func path(with modules: [String]) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let folders =
            [environment["GATEHOUSE_TOOLS"] ?? ""]
            + (environment["PATH"] ?? "/usr/bin").split(separator: ":").map(String.init)
        return folders.filter { !$0.isEmpty }.map { $0 + "/python3" }
            .first { candidate in
                FileManager.default.isExecutableFile(atPath: candidate)
                    && (try? run(candidate, ["-c", "import " + modules.joined(separator: ", ")]).status) == 0
            }
    }

    static func run(_ python: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: python)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
