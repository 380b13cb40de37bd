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
package struct SourcePosition: Sendable, Hashable {
    /// Path inside the bundle.
    package let file: String
    /// From 1; 0 when the whole file is meant.
    package let line: Int
    /// In Unicode scalars from 1; 0 when the whole file is meant.
    package let column: Int

    /// - Parameters: as the properties.
    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// Collects what loading finds, so that one run names every fault.
final class DiagnosticCollector {
    /// What is found beyond that many is not kept: nobody reads on, and no input may make loading slow.
    static let limit = 200

    private var diagnostics: Set<PolicyDiagnostic> = []

    /// - Parameter remedy: made only when there is room for the diagnostic.
    func report(
        _ position: SourcePosition, _ message: String, remedy: @autoclosure () -> String? = nil
    ) {
        guard diagnostics.count < Self.limit else { return }
        diagnostics.insert(
            PolicyDiagnostic(
                file: position.file, line: position.line, column: position.column, message: clipped(message),
                remedy: remedy().map(clipped)))
    }

    /// Words of a file that are quoted may be as long as the file.
    private func clipped(_ text: String) -> String {
        text.utf8.count <= 1_000 ? text : text.prefix(500) + "…"
    }

    /// - Parameter remedy: made only when there is room for the diagnostic.
    func report(file: String, _ message: String, remedy: @autoclosure () -> String? = nil) {
        report(SourcePosition(file: file, line: 0, column: 0), message, remedy: remedy())
    }

    /// - Throws: everything reported so far, if anything was.
    func throwIfAny() throws(PolicyLoadError) {
        guard !diagnostics.isEmpty else { return }
        let sorted = diagnostics.sorted {
            ($0.file, $0.line, $0.column, $0.message) < ($1.file, $1.line, $1.column, $1.message)
        }
        throw PolicyLoadError(diagnostics: sorted)
    }
}
