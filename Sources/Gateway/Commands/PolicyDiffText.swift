import EnrollmentCore
import Policy
import PolicyAnalysis
import PolicyReview

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

    /// Whether somebody may get more than before, or what they get cannot be told.
    var widens: Bool { changes.contains(where: \.widens) || edits.contains { $0.effect == .widens } }

    /// Whether any decision differs in more than its reason, or any certificate may.
    var differs: Bool {
        changes.contains { $0.kind != .reasonOnly } || edits.contains { $0.effect != .none }
    }

    private var summary: String {
        let widening = changes.filter(\.widens).count
        let others = changes.count - widening
        var sentences: [String] = []
        if !widens { sentences.append("Nothing is widened.") }
        if widening > 0 {
            sentences.append(
                "\(Self.count(widening, "difference")) in decisions \(widening == 1 ? "widens" : "widen") "
                    + "what is granted.")
        }
        if changes.isEmpty { sentences.append("Decisions do not differ.") }
        if others > 0 { sentences.append("\(Self.count(others, "other difference")) in decisions.") }
        let effects: [(BundleEdit.Effect, String, String)] = [
            (.widens, "widens", "widen"), (.narrows, "narrows", "narrow"), (.changes, "changes", "change"),
        ]
        for (effect, one, many) in effects {
            let edits = edits.filter { $0.effect == effect }.count
            guard edits > 0 else { continue }
            sentences.append(
                "\(Self.count(edits, "edit")) of the catalog \(edits == 1 ? one : many) "
                    + "certificates or limits."
            )
        }
        return sentences.joined(separator: " ")
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }

    private static func mark(_ edit: BundleEdit) -> String {
        switch edit.effect {
        case .none: return ""
        case .widens: return "WIDENS  "
        case .narrows: return "NARROWS  "
        case .changes: return "CHANGES  "
        }
    }

    /// For a terminal.
    var plain: String {
        var lines = edits.map { edit in
            "\(Self.mark(edit))\(edit.change.rawValue) \(edit.part.rawValue) \(edit.name)"
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
                let title = Self.cell(Self.title(change))
                let marked = change.widens ? "⚠️ **\(title)**" : title
                let cells = [marked] + [Self.place(change), change.before, change.after].map(Self.cell)
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
                "- " + (edit.effect == .none ? "" : "**\(edit.effect.rawValue)** ")
                    + "\(edit.change.rawValue) \(edit.part.rawValue) \(Self.cell(edit.name))"
                    + (edit.detail.isEmpty ? "" : ": " + Self.cell(edit.detail))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Text of a bundle that ends no table cell and begins no markup: a bundle under review is a stranger's.
    private static func cell(_ text: String) -> String {
        let prose: Prose = "\(text)"
        return prose.string(.markdown)
    }

    /// One object.
    var json: JSONValue {
        [
            "widens": .bool(widens), "differs": .bool(differs),
            "edits": .array(
                edits.map { edit in
                    [
                        "part": .string(edit.part.rawValue), "change": .string(edit.change.rawValue),
                        "name": .string(edit.name), "detail": .string(edit.detail),
                        "effect": .string(edit.effect.rawValue),
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
