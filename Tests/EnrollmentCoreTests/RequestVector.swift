import Foundation
import Testing

/// A certification request of `Tests/Vectors/pkix`.
enum RequestVector {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .appending(path: "Vectors/pkix")

    static func der(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: "\(name).der")))
    }

    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".der") }.map { String($0.dropLast(4)) }.sorted()
    }
}
