import ArgumentParser
import Foundation
import Verification

/// `gatehouse-verify`: what a ledger claims, checked without trusting who keeps it. Writes nothing.
@main
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatehouse-verify",
        abstract: "Verify a ledger: one line for each invariant.",
        discussion: """
            Exit codes: 0 everything holds; 2 usage; 3 a key, checkpoint or receipt cannot be read; \
            4 no such file; 5 the database cannot be read; 6 something does not hold.
            """,
        version: "0.1.0", subcommands: [DatabaseCommand.self, ExportCommand.self, ReceiptCommand.self])

    func run() throws { throw ValidationError("name what to verify: database, export or receipt") }

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error as VerificationError {
            Terminal.message("gatehouse-verify: \(error)\n  remedy: \(error.remedy)")
            Foundation.exit(error.exitCode)
        } catch let error as ExitCode { Foundation.exit(error.rawValue) } catch {
            let code = exitCode(for: error)
            guard code != .success else { exit(withError: error) }
            Terminal.message(fullMessage(for: error))
            Terminal.message("  remedy: gatehouse-verify COMMAND --help lists the options")
            Foundation.exit(2)
        }
    }
}

extension VerificationError {
    fileprivate var exitCode: Int32 {
        switch self {
        case .key, .receipt: 3
        case .file: 4
        case .database: 5
        case .malformed: 6
        }
    }
}
