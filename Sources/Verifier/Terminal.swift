import EnrollmentCore
import Foundation
import Glibc

/// Where data and messages go, and what the time is.
enum Terminal {
    /// Writes data to standard output, control characters shown: a ledger may quote anything.
    static func write(_ text: String) { put(visible(text), STDOUT_FILENO) }

    /// Writes a message to standard error.
    static func message(_ text: String) { put(visible(text) + "\n", STDERR_FILENO) }

    static func now() -> Timestamp {
        Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }

    static func put(_ text: String, _ descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else { Foundation.exit(5) }
            rest = rest.dropFirst(max(0, count))
        }
    }

    private static func visible(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
                    return isControl && scalar != "\n" ? "·" : scalar
                }))
    }
}

/// How far the verification has come, redrawn in place on standard error; silent when that is no terminal.
struct ProgressBar {
    private let label: String
    private let isVisible = isatty(STDERR_FILENO) == 1
    private var drawn: String?

    init(label: String) { self.label = label }

    mutating func advance(to done: Int, of total: Int) {
        guard isVisible else { return }
        let cells = 30
        let share = total > 0 ? min(max(Double(done) / Double(total), 0), 1) : 1
        let full = Int(share * Double(cells))
        let bar = String(repeating: "█", count: full) + String(repeating: "░", count: cells - full)
        let line = "\(label) \(bar) \(Int(share * 100)) %"
        guard line != drawn else { return }
        drawn = line
        Terminal.put("\r\(line)", STDERR_FILENO)
    }

    /// Takes the bar away.
    mutating func finish() {
        if drawn != nil { Terminal.put("\r\u{1b}[K", STDERR_FILENO) }
        drawn = nil
    }
}
