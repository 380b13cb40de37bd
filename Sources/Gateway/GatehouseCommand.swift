import ArgumentParser
import Database
import Dispatch
import EnrollmentCore
import Foundation
import Glibc
import Listener

/// `gatehouse`: noun, then verb.
@main
struct GatehouseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatehouse",
        abstract: "One gate, one policy, one ledger for every certificate a device asks for.",
        version: "0.1.0",
        subcommands: [
            Up.self, Serve.self, SequencerCommand.self, Config.self, DatabaseCommand.self, PolicyCommand.self,
            DeviceCommand.self,
            CredentialCommand.self, RequestCommand.self, ApprovalCommand.self, LedgerCommand.self,
            Completion.self,
        ])

    static func main() {
        signal(SIGPIPE, SIG_IGN)
        raiseFileLimit()
        do {
            var command = try parseAsRoot()
            if var up = command as? Up {
                try up.prepare()
                command = up
            }
            let parsed = Parsed(command: command)
            Task { await parsed.runToExit() }
            dispatchMain()
        } catch { end(error) }
    }

    /// Takes as many file descriptors as the system allows: each connection is one.
    private static func raiseFileLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Prints what went wrong and ends the process with the documented exit code.
    fileprivate static func end(_ error: any Error) -> Never {
        switch error {
        case let error as StartupError:
            Output.message("gatehouse: \(error)")
            Foundation.exit(error.exitCode.rawValue)
        case let error as LedgerError: end(StartupError(error))
        case let error as DatabaseError: end(StartupError(error))
        case let error as PortInUse:
            let (host, port) = (error.endpoint.host, error.endpoint.port)
            Output.message(
                "gatehouse: something else listens on \(host):\(port)\n"
                    + "  remedy: stop it (ss -ltnp shows it), or name another with --\(error.listener)-port")
            Foundation.exit(ExitStatus.dependencyUnavailable.rawValue)
        case let error as ExitCode: Foundation.exit(error.rawValue)
        default:
            let code = exitCode(for: error)
            guard code != .success else { exit(withError: error) }
            Output.message(fullMessage(for: error))
            let status: ExitStatus = code == .validationFailure ? .usage : .dependencyUnavailable
            Foundation.exit(status.rawValue)
        }
    }
}

/// A command on its way from the main thread to the task that runs it.
///
/// SAFETY (`@unchecked Sendable`): handed over once; the main thread does not touch it again.
private struct Parsed: @unchecked Sendable {
    let command: any ParsableCommand

    func runToExit() async -> Never {
        do {
            var command = command
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            Foundation.exit(ExitStatus.fine.rawValue)
        } catch { GatehouseCommand.end(error) }
    }
}

/// `gatehouse completion`
struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the completion script of a shell.")

    @Argument(help: "bash, zsh or fish.")
    var shell: String

    func run() throws {
        guard let shell = CompletionShell(rawValue: shell) else {
            throw ValidationError("no completion for \(self.shell): name bash, zsh or fish")
        }
        Output.write(GatehouseCommand.completionScript(for: shell) + "\n")
    }
}
