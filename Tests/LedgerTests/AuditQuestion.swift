import Database
import EnrollmentCore
import Foundation

/// One question of docs/auditing.md.
struct AuditQuestion {
    let number: Int
    let title: String
    let controls: String
    let sql: String
    /// The sample answer, a line a row, without the rule under the heading.
    let answer: [[String]]

    static func all() throws -> [AuditQuestion] {
        let root = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/auditing.md"), encoding: .utf8)
        return try page.components(separatedBy: "\n### ").dropFirst().map(AuditQuestion.init)
    }

    private init(_ section: String) throws {
        let lines = section.components(separatedBy: "\n")
        let heading = lines.first?.components(separatedBy: ". ") ?? []
        number = try required(heading.first.flatMap { Int($0) })
        title = heading.dropFirst().joined(separator: ". ")
        controls = try required(lines.first { $0.hasPrefix("Controls: ") })
        sql = try Self.block("sql", in: lines).joined(separator: "\n")
        answer = try Self.block("text", in: lines).filter { !$0.hasPrefix("--") }.map(AuditAnswer.cells)
    }

    private static func block(_ kind: String, in lines: [String]) throws -> [String] {
        let start = try required(lines.firstIndex(of: "```\(kind)")) + 1
        let end = try required(lines[start...].firstIndex(of: "```"))
        return Array(lines[start..<end])
    }
}

/// What the ledger answers, written as on the page: dates as if noon were that of 2026-11-22, and `…` for ids
/// and for what the real clock had a part in.
struct AuditAnswer {
    private static let day: Int64 = 1_795_348_800 / 86_400
    private static let unsteady: Set<String> = ["least_lag", "greatest_lag", "checkpoint_age"]
    private let rows: [[String]]

    init(_ table: TextTable, noon: Timestamp) {
        let shift = Self.day - noon.seconds / 86_400
        rows =
            [table.columns]
            + table.rows.map { row in
                zip(table.columns, row).map { column, value in
                    Self.unsteady.contains(column) ? "…" : Self.steady(value ?? "", shift: shift)
                }
            }
    }

    private static func steady(_ value: String, shift: Int64) -> String {
        let date = value.prefix(10)
        if date.count == 10, let midnight = Timestamp(rfc3339: "\(date)T00:00:00Z") {
            return String(midnight.adding(seconds: shift * 86_400).rfc3339.prefix(10) + value.dropFirst(10))
        }
        let isID = value.count == 36 && value.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12]
        return isID ? "…" : value
    }

    /// The cells of a line of the page.
    static func cells(_ line: String) -> [String] {
        // Empty cells at the end of a line have lost their spaces.
        (line + " ").components(separatedBy: " | ").map { $0.trimmingCharacters(in: .whitespaces) }
    }

    func matches(_ page: [[String]]) -> Bool { rows == page }

    /// As the page has it.
    var text: String {
        let widths = (rows.first ?? []).indices.map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        var lines = rows.map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
                .joined(separator: " | ")
        }
        lines.insert(widths.map { String(repeating: "-", count: $0) }.joined(separator: "-|-"), at: 1)
        return lines.map { line in
            var end = line[...]
            while end.last == " " { end.removeLast() }
            return String(end)
        }.joined(separator: "\n")
    }
}
