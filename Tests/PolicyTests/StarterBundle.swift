import EnrollmentCore
import Foundation
import Testing

@testable import Policy

/// The bundle that the repository ships, and ways to change it.
enum StarterBundle {
    static let directory = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "policies").path(percentEncoded: false)

    static func files() throws -> [BundleFile] { try BundleFile.read(directory: directory) }

    static func load() throws -> PolicyBundle { try PolicyBundle(files: files()) }

    /// The starter files with one replaced, added, or (for nil) removed.
    static func files(with path: String, as text: String?) throws -> [BundleFile] {
        let rest = try files().filter { $0.path != path }
        return rest + (text.map { [BundleFile(path: path, bytes: Array($0.utf8))] } ?? [])
    }

    /// The starter files with the first `old` in one of them replaced by `new`.
    static func files(editing path: String, _ old: String, _ new: String) throws -> [BundleFile] {
        let file = try #require(files().first { $0.path == path })
        let text = String(decoding: file.bytes, as: UTF8.self)
        let range = try #require(text.range(of: old))
        return try files(with: path, as: text.replacingCharacters(in: range, with: new))
    }

    /// A healthy laptop's first request.
    static func laptop() throws -> PolicyInput {
        let device = try #require(DeviceID("LT-042"))
        let credential = try #require(CredentialID("AAAAAAAAAAAAAAAA"))
        let now = try #require(Timestamp(rfc3339: "2026-11-22T12:00:00Z"))
        return PolicyInput(
            service: ServiceName("laptops"), enrollmentProtocol: .est, operation: .enroll, instant: now,
            request: RequestFacts(
                names: CertificateNames(commonName: "LT-042", dns: ["lt-042.devices.localhost"]),
                extendedKeyUsages: ["1.3.6.1.5.5.7.3.2"],
                publicKey: PublicKey(subjectPublicKeyInfo: [1], algorithm: .p256), digest: Digest(of: [1])),
            proofs: [.oneTimeCredential(id: credential, device: device, state: .usable)],
            provenDevice: device,
            device: DeviceFacts(
                id: device, groups: ["corp-laptops"], dns: ["lt-042.devices.localhost"],
                posture: [
                    PostureFact(
                        source: "intune", status: .compliant, jailbroken: false,
                        observedAt: now.adding(seconds: -600))
                ]),
            clientAddress: "192.0.2.7")
    }
}

extension Decision {
    var isPermit: Bool {
        if case .permit = outcome { return true }
        return false
    }

    var refusal: RefusalKind? {
        if case .deny(let kind) = outcome { return kind }
        return nil
    }
}
