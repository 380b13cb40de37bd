import EnrollmentCore
import Testing

@testable import Policy

/// The starter catalog with rules of a test's own, and requests for it.
enum SmallBundle {
    /// A rule by its id and what follows its head.
    static func load(
        _ rules: [String: String], mode: [String: String] = [:], owners: String? = nil
    ) throws -> PolicyBundle {
        var files = try StarterBundle.files().filter { !$0.path.hasPrefix("rules/") }
        if let owners {
            files = files.filter { $0.path != "owners.yaml" }
            files.append(BundleFile(path: "owners.yaml", bytes: Array(owners.utf8)))
        }
        for (id, body) in rules {
            let head = WideBundle.head(id).replacing("mode: enforce", with: "mode: \(mode[id] ?? "enforce")")
            files.append(BundleFile(path: "rules/\(id).yaml", bytes: Array((head + body).utf8)))
            files.append(BundleFile(path: "rules/\(id).cases.yaml", bytes: Array(WideBundle.cases.utf8)))
        }
        return try PolicyBundle(files: files)
    }

    /// Grants laptops a week, with whatever is added.
    static func permit(_ addition: String = "", days: Int = 7) -> String {
        """
        effect: permit
        applies_to: { service: laptops, profile: client-auth }
        require: { device.group: corp-laptops }
        certificate: { common_name: "{device.id}", validity: { at_most: \(days)d } }
        \(addition)
        """
    }

    static let deny = """
        effect: deny
        applies_to: { service: laptops, profile: client-auth }
        block_unless:
          device.jailbroken: { is: false, max_age: 4h }
        """

    static let owners = """
        owners: v1
        default: Device Identity
        teams:
          Device Identity: { contact: device-identity@corp.example, members: ["os:ann", "os:bob", "os:cat"] }
          Endpoint Security: { contact: soc@corp.example }
          Server Platform: { contact: server-platform@corp.example }
          Network Engineering: { contact: network-engineering@corp.example }
          Contractor Office: { contact: contractor-office@corp.example }

        """

    static func laptop() throws -> PolicyInput {
        var input = try StarterBundle.laptop()
        input.request.names = CertificateNames(commonName: "LT-042")
        return input
    }
}
