import Foundation

@testable import Policy

/// A bundle that uses every attribute, matcher and combination of the language, for properties that must hold
/// whatever a rule says.
enum WideBundle {
    static func files(leavingOut: Set<String> = []) throws -> [BundleFile] {
        let starter = try StarterBundle.files().filter { !$0.path.hasPrefix("rules/") }
        return starter
            + rules.filter { !leavingOut.contains($0.key) }.flatMap { id, body in
                [
                    BundleFile(path: "rules/\(id).yaml", bytes: Array((head(id) + body).utf8)),
                    BundleFile(path: "rules/\(id).cases.yaml", bytes: Array(cases.utf8)),
                ]
            }
    }

    static func head(_ id: String) -> String {
        """
        policy: v1
        id: \(id)
        title: A rule for tests
        owner: { team: Endpoint Security, contact: soc@corp.example }
        review_by: 2027-11-30
        mode: enforce

        """
    }

    static let cases = """
        tests: v1
        base:
          service: laptops
          device:
            { id: LT-042, serial: C02, udid: u-1, group: [corp-laptops], dns: [lt-042.devices.localhost] }
          posture: { source: intune, status: compliant, jailbroken: false, age: 1m }
          proof: { one_time_credential: { bound_to: LT-042 } }
          csr: { common_name: LT-042, dns: [lt-042.devices.localhost] }
        cases:
          - { name: whatever, expect: { deny: no-rule } }
          - { name: elsewhere, with: { client_address: 203.0.113.9 }, expect: { deny: no-rule } }
          - { name: lost, with: { device.group: [servers] }, expect: { deny: no-rule } }

        """

    static let permit = """
        effect: permit
        applies_to: { service: any, profile: any }

        """

    static let rules: [String: String] = [
        "by-address": permit + """
            require:
              client.address: { within: [10.0.0.0/8, "2001:db8::/32"] }
              device.serial: { glob: "C*" }
            certificate: { common_name: "{device.id}", validity: { at_most: 20d } }
            """,
        "by-negation": permit + """
            require:
              none_of:
                - device.group: [servers, network-gear]
                - client.address: { within: 203.0.113.0/24 }
              device.udid: u-1
            certificate:
              common_name: "{device.id}"
              san: { dns: ["{device.dns}", "{device.serial}.devices.localhost"] }
              validity: { at_most: 10d }
            """,
        "by-choice": permit + """
            require:
              any_of:
                - all_of:
                    - device.group: corp-laptops
                    - device.active_certificates: { at_most: 3 }
                - device.id: { glob: "LT-*" }
                  request.common_name: { equals: device.id }
              request.dns: { subset_of: device.dns }
              request.key_algorithm: [ec-p256, ec-p384]
            certificate:
              common_name: "{device.id}"
              san: { dns: "{request.dns}" }
              validity: { at_most: 40d }
            """,
        "by-person": permit + """
            require:
              device.owner: { glob: "*@corp.example" }
              device.last_proof: [one_time_credential, account]
              credential.failed_attempts: { at_most: 3 }
              request.operation: [enroll, renew]
              request.instant: { between: [2026-01-01T00:00:00Z, 2027-01-01T00:00:00Z] }
            certificate: { common_name: "{device.id}", validity: { at_most: 30d } }
            approval: { from: Contractor Office, within: 24h, four_eyes: true }
            """,
        "block-list": """
        effect: deny
        applies_to: { service: laptops, profile: any }
        block_if:
          device.id: [LT-666, LT-667]
        """,
        "block-source": """
        effect: deny
        applies_to: { service: laptops, profile: client-auth, operation: enroll, protocol: [est, scep] }
        block_unless:
          device.posture: { source: intune, status: compliant, max_age: 8h }
          device.jailbroken: { is: false, source: intune, max_age: 8h }
          device.active_certificates: { between: [0, 5] }
        """,
    ]
}
