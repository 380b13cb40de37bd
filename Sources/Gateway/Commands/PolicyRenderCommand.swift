import ArgumentParser
import Policy
import PolicyReview

extension PolicyCommand {
    /// `gatehouse policy render`
    struct Render: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The bundle as an English document: who gets what, by which proof, for how long.")

        @Argument(help: "The bundle's directory.")
        var directory: String = "policies"
        @Option(help: "How to write it: markdown or text.")
        var format: Prose.Form = .markdown

        func run() throws {
            let bundle = try Stores.policyBundle(in: directory)
            Output.write(BundleDocument(bundle: bundle).document.string(format))
        }
    }
}

extension Prose.Form: ExpressibleByArgument {}
