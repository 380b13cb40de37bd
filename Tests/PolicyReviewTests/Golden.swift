import Foundation
import Testing

/// Texts that people have read and found right, under `Tests/Vectors/policy`.
enum Golden {
    /// Compares, and leaves what came instead in the temporary directory, to be read and put in its place.
    static func expect(_ text: String, is name: String, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let file = SampleBundle.root.appending(path: "Tests/Vectors/policy/\(name)")
        let wanted = try? String(contentsOf: file, encoding: .utf8)
        if text == wanted { return }
        let actual = FileManager.default.temporaryDirectory.appending(path: "actual-\(name)")
        try text.write(to: actual, atomically: true, encoding: .utf8)
        Issue.record("not as in \(file.path()), but as in \(actual.path())", sourceLocation: sourceLocation)
    }
}
