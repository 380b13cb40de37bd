import Foundation
import Glibc

/// How far a long command has come, redrawn in place on standard error; silent when that is no terminal, so
/// that logs and pipes stay clean.
struct ProgressBar: Sendable {
    private let total: Int
    private let label: String
    private let isVisible: Bool
    private var drawn: String?

    /// - Parameters:
    ///   - total: how many steps there are; 0 counts as done.
    ///   - label: what is being done, e.g. `importing`.
    init(total: Int, label: String) {
        self.total = total
        self.label = label
        isVisible = isatty(STDERR_FILENO) == 1
    }

    /// Says how many steps are done. Cheap to call for every one: drawn again only when the line changes.
    mutating func advance(to done: Int) {
        guard isVisible else { return }
        let line = Self.line(label: label, done: done, total: total)
        guard line != drawn else { return }
        drawn = line
        Self.draw("\r\(line)")
    }

    /// Takes the bar away, so that what is said next stands alone. Safe to call again.
    mutating func finish() {
        if drawn != nil { Self.draw("\r\u{1b}[K") }
        drawn = nil
    }

    /// The bar as text: label, 30 cells, per cent and total.
    static func line(label: String, done: Int, total: Int) -> String {
        let cells = 30
        let share = total > 0 ? min(max(Double(done) / Double(total), 0), 1) : 1
        let full = Int(share * Double(cells))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
        return "\(label) \(bar) \(Int(share * 100)) % of \(total)"
    }

    private static func draw(_ text: String) { _ = Output.put(text, STDERR_FILENO) }
}
