import EnrollmentCore
import Policy
import PolicyAnalysis

/// A comparison of two bundles, as people and programs read it.
struct PolicyDiffText {
    let edits: [BundleEdit]
    let changes: [PolicyChange]

    private static func title(_ change: PolicyChange) -> String {
        change.kind.rawValue.replacing("-", with: " ")
    }

    private static func place(_ change: PolicyChange) -> String {
        let rules = change.rules.isEmpty ? "no rule" : change.rules.joined(separator: ", ")
        let owners = change.owners.map { "\($0.team), \($0.contact)" }.joined(separator: "; ")
        return "\(change.service)/\(change.profile), \(rules) (\(owners))"
    }

    private var summary: String {
        let widening = changes.filter(\.widens).count
        return widening == 0
            ? "Nothing is widened; \(changes.count) other differences in decisions."
            : "\(widening) differences widen what is granted; \(changes.count - widening) others."
    }

    /// For a terminal.
    var plain: String {
        var lines = edits.map { edit in
            "\(edit.change.rawValue) \(edit.part.rawValue) \(edit.name)"
                + (edit.detail.isEmpty ? "" : ": " + edit.detail)
        }
        for change in changes {
            lines.append("")
            lines.append(
                "\(change.widens ? "WIDENS  " : "")\(Self.title(change).uppercased())  \(Self.place(change))")
            if change.kind == .notDecided {
                lines.append("  " + change.before)
            } else {
                lines += ["  before: " + change.before, "  after:  " + change.after]
            }
            if let example = change.example {
                lines.append("  for example:")
                lines += example.yaml.split(separator: "\n").map { "    " + $0 }
            }
        }
        return (lines + ["", summary]).joined(separator: "\n") + "\n"
    }

    /// For a pull request.
    var markdown: String {
        var lines = ["### Policy: what this change does", "", summary]
        if !changes.isEmpty {
            lines += ["", "| change | where | before | after |", "|---|---|---|---|"]
            lines += changes.map { change in
                let title = (change.widens ? "⚠️ **" : "") + Self.title(change) + (change.widens ? "**" : "")
                let cells = [title, Self.place(change), change.before, change.after].map(Self.cell)
                return "| " + cells.joined(separator: " | ") + " |"
            }
        }
        for change in changes {
            guard let example = change.example else { continue }
            lines += [
                "",
                "<details><summary>\(Self.title(change)): \(change.rules.joined(separator: ", "))</summary>",
                "", "```yaml", example.yaml, "```", "", "</details>",
            ]
        }
        if !edits.isEmpty {
            lines += ["", "#### Edits", ""]
            lines += edits.map { edit in
                "- \(edit.change.rawValue) \(edit.part.rawValue) `\(edit.name)`"
                    + (edit.detail.isEmpty ? "" : ": " + Self.cell(edit.detail))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Text of a bundle that ends no table cell and begins no markup.
    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("<", with: "&lt;").replacing("\n", with: " ")
    }

    /// One object.
    var json: JSONValue {
        [
            "widens": .bool(changes.contains(where: \.widens)),
            "edits": .array(
                edits.map { edit in
                    [
                        "part": .string(edit.part.rawValue), "change": .string(edit.change.rawValue),
                        "name": .string(edit.name), "detail": .string(edit.detail),
                    ]
                }),
            "changes": .array(
                changes.map { change in
                    .object(Dictionary(zip(rows.columns, Self.row(change)), uniquingKeysWith: { $1 }))
                }),
        ]
    }

    /// One row for each difference in decisions.
    var rows: Output {
        Output(
            columns: [
                "kind", "widens", "service", "profile", "rules", "owners", "before", "after", "example",
            ], rows: changes.map(Self.row))
    }

    private static func row(_ change: PolicyChange) -> [JSONValue] {
        [
            .string(change.kind.rawValue), .bool(change.widens), .string(change.service.rawValue),
            .string(change.profile.rawValue), .array(change.rules.map { .string($0) }),
            .array(change.owners.map { ["team": .string($0.team), "contact": .string($0.contact)] }),
            .string(change.before), .string(change.after),
            change.example.map { .string($0.yaml) } ?? .null,
        ]
    }
}
