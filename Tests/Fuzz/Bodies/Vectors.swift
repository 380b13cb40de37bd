import Foundation
import OpenSSLCrypto
import PKIX

/// Files of the repository that bodies need.
enum Vectors {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The folder of the starter bundle.
    static let policies = repository.appending(path: "policies").path

    private static func scep(_ name: String) -> [UInt8] {
        let file = repository.appending(path: "Tests/Vectors/scep/\(name)")
        guard let content = try? Data(contentsOf: file) else { preconditionFailure("no \(file.path)") }
        return Array(content)
    }

    static func certificate(_ name: String) -> [UInt8] {
        let text = String(decoding: scep(name), as: UTF8.self)
        guard let der = try? PEM.decode(text, label: "CERTIFICATE").first else {
            preconditionFailure("no certificate in \(name)")
        }
        return der
    }

    static func identity(_ key: String, _ name: String) -> CMSIdentity {
        guard let identity = try? CMSIdentity(key: scep(key), certificate: certificate(name)) else {
            preconditionFailure("\(key) and \(name) are no identity")
        }
        return identity
    }
}
