/// One thing that is wrong with a bundle, or worth knowing: where, what, and how to put it right.
package struct PolicyDiagnostic: Sendable, Hashable, CustomStringConvertible {
    /// Path inside the bundle, e.g. `rules/never-jailbroken.yaml`.
    package let file: String
    /// From 1; 0 when the whole file is meant.
    package let line: Int
    /// In Unicode scalars from 1; 0 when the whole file is meant.
    package let column: Int
    package let message: String
    /// What to do about it; nil when the message says so itself.
    package let remedy: String?

    /// - Parameters: as the properties.
    package init(file: String, line: Int, column: Int, message: String, remedy: String?) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.remedy = remedy
    }

    /// `file:line:column: message (remedy)`.
    package var description: String {
        let place = line > 0 ? "\(file):\(line):\(column)" : file
        return "\(place): \(message)" + (remedy.map { " (\($0))" } ?? "")
    }
}

/// Why a bundle does not load: everything found, in file and line order, at most 200 entries.
package struct PolicyLoadError: Error, Sendable, Hashable, CustomStringConvertible {
    package let diagnostics: [PolicyDiagnostic]

    /// - Parameter diagnostics: at least one.
    package init(diagnostics: [PolicyDiagnostic]) { self.diagnostics = diagnostics }

    /// One diagnostic a line.
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// Where a value of a bundle stands.
struct SourcePosition: Sendable, Hashable {
    let file: String
    let line: Int
    let column: Int
}

/// Collects what loading finds, so that one run names every fault.
final class DiagnosticCollector {
    private(set) var diagnostics: Set<PolicyDiagnostic> = []

    func report(_ position: SourcePosition, _ message: String, remedy: String? = nil) {
        diagnostics.insert(
            PolicyDiagnostic(
                file: position.file, line: position.line, column: position.column, message: message,
                remedy: remedy))
    }

    func report(file: String, _ message: String, remedy: String? = nil) {
        report(SourcePosition(file: file, line: 0, column: 0), message, remedy: remedy)
    }

    /// - Throws: everything reported so far, if anything was.
    func throwIfAny() throws(PolicyLoadError) {
        guard !diagnostics.isEmpty else { return }
        let sorted = diagnostics.sorted {
            ($0.file, $0.line, $0.column, $0.message) < ($1.file, $1.line, $1.column, $1.message)
        }
        throw PolicyLoadError(diagnostics: Array(sorted.prefix(200)))
    }
}

/// The candidate that was probably meant, for "did you mean".
///
/// At most two edits away (one for words of three letters); the first in order when several are as near.
func nearestSpelling(of word: String, among candidates: some Sequence<String>) -> String? {
    let limit = word.count <= 3 ? 1 : 2
    var best: (distance: Int, candidate: String)?
    for candidate in candidates.sorted() {
        let distance = editDistance(Array(word.utf8.prefix(80)), Array(candidate.utf8.prefix(80)))
        if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.candidate
}

/// The edits (letters inserted, dropped, replaced, or swapped with their neighbour) from one word to the
/// other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var rows = [Array(0...right.count)]
    for row in left.indices {
        var current = [row + 1]
        for column in right.indices {
            let substitution = rows[row][column] + (left[row] == right[column] ? 0 : 1)
            var distance = min(substitution, rows[row][column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                distance = min(distance, rows[row - 1][column - 1] + 1)
            }
            current.append(distance)
        }
        rows.append(current)
    }
    return rows[left.count][right.count]
}
