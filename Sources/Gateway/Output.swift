import ArgumentParser
import EnrollmentCore
import Foundation
import Glibc

/// How a command prints its data. Data go to standard output, messages to standard error.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case table, json, jsonl, csv }

/// Options every command has.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: "The state directory.")
    var state: String = ".gatehouse"

    @Option(name: .long, help: "The configuration file, instead of the state directory's gatehouse.yaml.")
    var config: String?

    @Option(name: .long, help: "How to print data: table, json, jsonl or csv.")
    var output: OutputFormat = .table
}

/// Rows of named columns on their way to standard output.
struct Output {
    let columns: [String]
    let rows: [[JSONValue]]

    func print(as format: OutputFormat) {
        switch format {
        case .table: printTable()
        case .json: Self.write(JSONValue.array(objects).canonicalText + "\n")
        case .jsonl: for object in objects { Self.write(object.canonicalText + "\n") }
        case .csv:
            Self.write(columns.map(Self.quoted).joined(separator: ",") + "\r\n")
            for row in rows {
                Self.write(row.map { Self.quoted(Self.plain($0)) }.joined(separator: ",") + "\r\n")
            }
        }
    }

    /// Prints one object: members below each other in a table, one object in JSON.
    static func print(object members: [(String, JSONValue)], as format: OutputFormat) {
        switch format {
        case .table:
            let width = members.map(\.0.count).max() ?? 0
            for (name, value) in members {
                write("\(name.padding(toLength: width, withPad: " ", startingAt: 0))  \(printable(value))\n")
            }
        case .json, .jsonl:
            write(JSONValue.object(Dictionary(members, uniquingKeysWith: { $1 })).canonicalText + "\n")
        case .csv: Output(columns: members.map(\.0), rows: [members.map(\.1)]).print(as: .csv)
        }
    }

    /// Writes text to standard output.
    static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    /// Writes a message for people to standard error.
    static func message(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

    private var objects: [JSONValue] {
        rows.map { row in .object(Dictionary(zip(columns, row), uniquingKeysWith: { $1 })) }
    }

    private func printTable() {
        let cells = rows.map { $0.map(Self.printable) }
        let widths = columns.indices.map { index in
            max(columns[index].count, cells.map { $0[index].count }.max() ?? 0)
        }
        func line(_ values: [String]) -> String {
            let padded = zip(values, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
            var text = padded.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text + "\n"
        }
        Self.write(line(columns.map { $0.uppercased() }))
        for row in cells { Self.write(line(row)) }
    }

    private static func plain(_ value: JSONValue) -> String {
        switch value {
        case .null: return ""
        case .string(let text): return text
        case .bool, .integer, .array, .object: return value.canonicalText
        }
    }

    /// Text without control characters: what devices sent must not drive the reader's terminal.
    private static func printable(_ value: JSONValue) -> String {
        String(
            plain(value).unicodeScalars.map { scalar in
                scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) ? "·" : Character(scalar)
            })
    }

    private static func quoted(_ text: String) -> String {
        // Spreadsheets run a cell that begins like a formula; an apostrophe keeps it text.
        let safe = text.first.map { "=+-@".contains($0) } == true ? "'" + text : text
        guard safe.contains(where: { "\",\r\n".contains($0) }) else { return safe }
        return "\"" + safe.replacingOccurrences(of: "\"", with: "\"\"") + "\""
    }
}
