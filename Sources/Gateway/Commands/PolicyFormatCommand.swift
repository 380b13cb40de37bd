import ArgumentParser
import Foundation
import Policy
import PolicyReview

extension PolicyCommand {
    /// `gatehouse policy fmt`
    struct Format: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fmt",
            abstract: "Put the files of a bundle in one form; comments and meaning stay as they are.")

        @Argument(help: "The bundle's directory.")
        var directory: String = "policies"
        @Flag(help: "Change nothing; name the files that are not in form, and exit 1 if there are any.")
        var check = false

        func run() throws {
            var changed: [BundleFile] = []
            do throws(PolicyLoadError) {
                for file in try BundleFile.read(directory: directory) {
                    let formatted = try BundleFormatter.formatted(file)
                    if formatted != file { changed.append(formatted) }
                }
            } catch {
                throw StartupError(
                    "the bundle in \(directory) cannot be formatted; nothing was changed:\n\(error)",
                    remedy: "mend these places", exitCode: .invalid)
            }
            for file in changed {
                if !check { try write(file) }
                Output.write(file.path + "\n")
            }
            if check, !changed.isEmpty { throw ExitCode(ExitStatus.negative.rawValue) }
        }

        /// In place of the old file, whole or not at all.
        private func write(_ file: BundleFile) throws {
            do {
                try Data(file.bytes).write(
                    to: URL(filePath: directory).appending(path: file.path), options: .atomic)
            } catch {
                throw StartupError(
                    "\(directory)/\(file.path) cannot be written", remedy: "may you write there?",
                    exitCode: .usage)
            }
        }
    }
}
