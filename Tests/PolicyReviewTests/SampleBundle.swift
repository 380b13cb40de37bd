import EnrollmentCore
import Foundation
import Policy
import Testing

/// The bundle that the repository ships, and a small one whose texts the tests choose.
enum SampleBundle {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func starter() throws -> PolicyBundle { try PolicyBundle(files: starterFiles()) }

    static func starterFiles() throws -> [BundleFile] {
        try BundleFile.read(directory: root.appending(path: "policies").path(percentEncoded: false))
    }

    /// A bundle of one service, one profile and the rules given, each with its cases.
    ///
    /// - Parameter rules: by id, the rule's text and that of its cases.
    static func small(_ rules: [String: (rule: String, cases: String)] = ["entry": (entry, entryCases)])
        throws
        -> PolicyBundle
    {
        try PolicyBundle(files: files(rules))
    }

    static func files(_ rules: [String: (rule: String, cases: String)]) -> [BundleFile] {
        var texts = [
            "owners.yaml": owners, "catalog/groups.yaml": groups, "catalog/sources.yaml": sources,
            "catalog/proofs.yaml": proofs,
            "catalog/profiles.yaml": profiles, "catalog/services.yaml": services,
        ]
        for (id, pair) in rules {
            texts["rules/\(id).yaml"] = pair.rule
            texts["rules/\(id).cases.yaml"] = pair.cases
        }
        return texts.map { BundleFile(path: $0.key, bytes: Array($0.value.utf8)) }
    }

    static let owners = """
        owners: v1
        default: Gatekeepers
        teams:
          Gatekeepers: { contact: gate@corp.example, escalation: duty@corp.example }
          Service Desk: { contact: desk@corp.example, members: ["os:jane", "os:amir"] }
        """

    private static let owner =
        "    owner: { team: Gatekeepers, contact: gate@corp.example }\n    review_by: 2027-11-30\n"
    static let groups = "catalog: v1\ngroups:\n  guests:\n    description: Guests\n" + owner
    static let sources =
        "catalog: v1\nsources:\n  intune:\n    description: Compliance\n" + owner
        + "    provides: [compliance, jailbroken]\n"
    static let proofs =
        "catalog: v1\nproofs:\n  one_time_credential:\n    description: A secret\n" + owner
        + "  certificate_of_ours:\n    description: A certificate\n" + owner
    static let profiles =
        "catalog: v1\nprofiles:\n  badge:\n    description: A badge\n" + owner + """
                key_algorithms: [ec-p256]
                key_usage: [digital_signature]
                extended_key_usage: [client_auth, server_auth]
                validity: { at_most: 30d }
                backdating: 5m
            """
    static let services =
        "catalog: v1\nservices:\n  door:\n    description: The one door\n" + owner + """
                default: true
                protocols: [est, scep]
                issuer: issuing
                profiles: [badge]
                limits:
                  live_certificates_per_device: 2
                  unverified_rows_per_second: 1
                  deferred_credential_hold: 72h
                  account_order_span: 365d
            """

    static let entry = """
        policy: v1
        id: entry
        title: Badges for guests
        owner: { team: Gatekeepers, contact: gate@corp.example }
        review_by: 2027-11-30
        mode: enforce
        effect: permit
        applies_to: { service: door, profile: badge, protocol: est }
        require:
          device.group: guests
          device.posture: { source: intune, status: compliant, max_age: 4h }
          none_of:
            - device.serial: LOST-1
            - device.owner: { glob: "*@rival.example" }
          proof:
            any_of:
              - one_time_credential: { bound_to: device.id }
              - certificate_of_ours: { for: renewal }
        certificate:
          common_name: "{device.id}"
          extended_key_usage: [client_auth]
          validity: { at_most: 7d }
        approval: { from: Service Desk, count: 2, within: 24h, four_eyes: true }
        """

    /// The fewest cases that the bundle loads with and that pass.
    /// A rule that denies, with `block_if` or `block_unless` as given.
    static func denial(_ id: String, _ block: String) -> String {
        """
        policy: v1
        id: \(id)
        title: No guests
        owner: { team: Gatekeepers, contact: gate@corp.example }
        review_by: 2027-11-30
        mode: enforce
        effect: deny
        applies_to: { service: door, profile: any }
        \(block)
        """
    }

    static let entryCases = """
        tests: v1
        base:
          protocol: est
          device: { id: G-1, group: [guests], serial: S-1, owner: guest@corp.example }
          posture: { source: intune, status: compliant, age: 5m }
          proof: { one_time_credential: { bound_to: G-1 } }
          csr: { common_name: G-1 }
        cases:
          - name: waits
            expect: { defer: approval.waiting }
        """
}

extension PolicyBundle {
    /// The request of one case.
    func policyCase(_ name: String) throws -> PolicyCase { try #require(cases.first { $0.name == name }) }
}
