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
            Self.write(Self.csv(columns))
            for row in rows { Self.write(Self.csv(row.map { $0 == .null ? nil : Self.plain($0) })) }
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

    /// Writes data to standard output. Where nobody reads on, the command ends as one that a closed pipe
    /// ended, without a word; where it cannot be written, it says so and ends.
    static func write(_ text: String) {
        switch put(text, STDOUT_FILENO) {
        case 0: return
        case EPIPE: Foundation.exit(128 + SIGPIPE)
        case let fault:
            message("gatehouse: standard output cannot be written: \(String(cString: strerror(fault)))")
            Foundation.exit(ExitStatus.dependencyUnavailable.rawValue)
        }
    }

    /// Writes to standard output what a server says in passing: it runs on when nobody reads it.
    static func announce(_ text: String) { _ = put(text, STDOUT_FILENO) }

    /// Writes a message for people to standard error, with control characters shown: it may quote anything.
    static func message(_ text: String) { _ = put(visible(text) + "\n", STDERR_FILENO) }

    /// Text in which control characters but the line feed are written out, as `\r`.
    static func visible(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x0d: output += "\\r"
            case 0x09: output += "\\t"
            case 0x00..<0x0a, 0x0b..<0x20, 0x7f...0x9f:
                output += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    /// Writes all of it, whatever the descriptor is; returns 0, or the error number that stopped it.
    static func put(_ text: String, _ descriptor: Int32) -> Int32 {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&ready, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

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
}
