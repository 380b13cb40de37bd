import Foundation

/// A device as tests import it.
struct TestDevice {
    var id: String
    var groups: [String]
    var dns: [String]
    /// Of source intune; nil for none at all.
    var posture: String? = "compliant"
    /// Seconds since the posture was seen.
    var postureAge: TimeInterval = 60
    var jailbroken = false

    /// A compliant corporate laptop; its DNS name is its id below devices.localhost.
    static func laptop(_ id: String) -> TestDevice {
        TestDevice(id: id, groups: ["corp-laptops"], dns: ["\(id.lowercased()).devices.localhost"])
    }

    static func server(_ id: String, dns: [String]) -> TestDevice {
        TestDevice(id: id, groups: ["servers"], dns: dns, posture: nil)
    }

    static func networkGear(_ id: String) -> TestDevice {
        TestDevice(
            id: id, groups: ["network-gear"], dns: ["\(id.lowercased()).devices.localhost"], posture: nil)
    }

    /// Its only DNS name.
    var name: String { dns.first ?? "" }

    /// One line of an import file.
    fileprivate var line: String {
        get throws {
            let seen = Date(timeIntervalSinceNow: -postureAge).formatted(.iso8601)
            let facts: [[String: Any]] =
                posture.map {
                    [["source": "intune", "status": $0, "jailbroken": jailbroken, "observed_at": seen]]
                } ?? []
            let object: [String: Any] = [
                "id": id, "serial": "SN-\(id)", "udid": NSNull(), "groups": groups, "dns": dns,
                "email": [String](),
                "upn": [String](), "sid": NSNull(), "owner": "jane@corp.example", "posture": facts,
            ]
            return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self) + "\n"
        }
    }
}

/// A minted credential in the shapes its protocols want.
struct MintedCredential: Decodable {
    let id: String
    let device: String
    let service: String
    let expiresAt: String
    /// SCEP.
    let challengePassword: String?
    /// EST.
    let username: String?
    let password: String?
    /// ACME; the key is base64url.
    let kid: String?
    let hmacKey: String?

    private enum CodingKeys: String, CodingKey {
        case id, device, service, username, password, kid
        case expiresAt = "expires_at"
        case challengePassword = "challenge_password"
        case hmacKey = "hmac_key"
    }

    /// What must never be found anywhere.
    var secrets: [String] { [challengePassword, password, hmacKey].compactMap { $0 } }
    /// curl's -u.
    var userAndPassword: String { "\(username ?? ""):\(password ?? "")" }
}

extension Gate {
    /// Registers devices, or gives those there are new facts.
    func importDevices(_ devices: [TestDevice]) throws {
        let folder = try folder("import")
        let file = try folder.write(try devices.map { try $0.line }.joined(), to: "devices.jsonl")
        let done = try command(["device", "import", file])
        guard done.status == 0 else { throw Trouble("device import: \(done)") }
    }

    /// Mints a credential, for one protocol or for all of the service.
    func mint(
        _ service: String, _ device: String, _ enrollmentProtocol: String?, ttl: String? = nil
    ) throws -> MintedCredential {
        var arguments = ["credential", "mint", "--service", service, "--device", device, "--output", "json"]
        if let enrollmentProtocol { arguments += ["--protocol", enrollmentProtocol] }
        if let ttl { arguments += ["--ttl", ttl] }
        let done = try command(arguments)
        guard done.status == 0 else { throw Trouble("credential mint: \(done)") }
        let credential = try JSONDecoder().decode(MintedCredential.self, from: done.data)
        note(credential)
        return credential
    }

    /// Runs an auditor's query; each row by column name, every value as text.
    func ledger(_ sql: String) throws -> [[String: String?]] {
        let done = try command(["ledger", "query", "--output", "json", sql])
        guard done.status == 0 else { throw Trouble("ledger query: \(done)") }
        return try JSONDecoder().decode([[String: String?]].self, from: done.data)
    }

    /// The rows of audit.issuance about a device that ended in a certificate.
    func issued(_ device: String) throws -> [[String: String?]] {
        try issuance(of: device).filter { $0.text("state") == "issued" }
    }

    /// The rows of audit.issuance about a device, oldest first.
    func issuance(of device: String) throws -> [[String: String?]] {
        // Names of test devices are ours: letters, digits, dashes.
        try ledger(
            "SELECT * FROM audit.issuance WHERE device_id = '\(device)' ORDER BY received_at, recorded_at")
    }
}

extension [String: String?] {
    /// A column of a row; nil for NULL and for a column that is not there.
    func text(_ column: String) -> String? { self[column] ?? nil }
}
