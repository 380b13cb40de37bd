import EnrollmentCore
import Policy

/// Bundles and requests made up for measuring: the rule of the starter bundle's laptops over and over, each
/// for devices of its own, and the rule against jailbroken ones above them all.
struct PolicyBenchWorkload {
    /// Along what the rules are spread.
    enum Shape: String, CaseIterable {
        /// Ten rules for each service, five for each of its two profiles.
        case services
        /// All rules for one profile of one service, each for its own device group.
        case groups
    }

    let shape: Shape
    let ruleCount: Int

    private static let owner = "owner: { team: T, contact: t@c.example }\n"
    private static let profiles = ["client-auth", "vpn-user"]
    private static let rulesPerService = 10

    private var serviceCount: Int {
        shape == .groups ? 1 : max(1, (ruleCount + Self.rulesPerService - 1) / Self.rulesPerService)
    }

    private func service(_ rule: Int) -> String {
        shape == .groups ? "s0" : "s\(rule / Self.rulesPerService)"
    }

    private func profile(_ rule: Int) -> String {
        Self.profiles[shape == .groups ? 0 : rule % Self.rulesPerService / 5]
    }

    // MARK: The bundle

    /// - Parameter maximumAge: how old posture may be, in hours; a candidate differs in it.
    func files(maximumAge: Int = 4) -> [BundleFile] {
        var texts: [(String, String)] = [
            (
                "owners.yaml", "owners: v1\ndefault: T\nteams:\n  T: { contact: t@c.example }\n"
            ),
            ("catalog/services.yaml", services), ("catalog/groups.yaml", groups),
            ("catalog/profiles.yaml", Self.profileCatalog),
            (
                "catalog/sources.yaml",
                "catalog: v1\nsources:\n  intune:\n    description: d\n    \(Self.owner)"
                    + "    review_by: 2099-11-30\n    provides: [compliance, jailbroken]\n"
            ),
            ("catalog/proofs.yaml", Self.proofs),
            ("rules/never-jailbroken.yaml", Self.jailbroken),
            ("rules/never-jailbroken.cases.yaml", cases(0, ofDeny: true)),
        ]
        for rule in 0..<ruleCount {
            texts.append(("rules/r\(rule).yaml", text(of: rule, maximumAge)))
            texts.append(("rules/r\(rule).cases.yaml", cases(rule, ofDeny: false)))
        }
        return texts.map { BundleFile(path: $0.0, bytes: Array($0.1.utf8)) }
    }

    private var services: String {
        (0..<serviceCount).reduce(into: "catalog: v1\nservices:\n") { text, index in
            text += """
                  s\(index):
                    description: d
                    \(Self.owner)    review_by: 2099-11-30
                    default: \(index == 0)
                    protocols: [scep, est, acme]
                    issuer: issuing
                    profiles: [\(Self.profiles.joined(separator: ", "))]
                    limits:
                      live_certificates_per_device: 10
                      unverified_rows_per_second: 10
                      deferred_credential_hold: 72h
                      account_order_span: 365d

                """
        }
    }

    private var groups: String {
        (0..<ruleCount).reduce(into: "catalog: v1\ngroups:\n") { text, rule in
            text += "  g\(rule): { description: d, owner: { team: T, contact: t@c.example }, "
            text += "review_by: 2099-11-30 }\n"
        }
    }

    private static var profileCatalog: String {
        profiles.reduce(into: "catalog: v1\nprofiles:\n") { text, name in
            text += """
                  \(name):
                    description: d
                    \(owner)    review_by: 2099-11-30
                    key_algorithms: [ec-p256, rsa-2048]
                    key_usage: [digital_signature]
                    extended_key_usage: [client_auth]
                    validity: { at_most: 90d }
                    backdating: 5m

                """
        }
    }

    private static var proofs: String {
        ["one_time_credential", "certificate_of_ours"].reduce(into: "catalog: v1\nproofs:\n") { text, kind in
            text += "  \(kind):\n    description: d\n    \(owner)    review_by: 2099-11-30\n"
        }
    }

    private static var jailbroken: String {
        """
        policy: v1
        id: never-jailbroken
        title: Jailbroken or rooted devices never get a client certificate
        \(owner)review_by: 2099-11-30
        mode: enforce
        effect: deny
        applies_to: { service: any, profile: any }
        block_unless:
          device.jailbroken: { is: false, max_age: 4h }

        """
    }

    private func text(of rule: Int, _ maximumAge: Int) -> String {
        """
        policy: v1
        id: r\(rule)
        title: Client certificates for compliant laptops of group \(rule)
        \(Self.owner)review_by: 2099-11-30
        mode: enforce
        effect: permit
        applies_to: { service: \(service(rule)), profile: \(profile(rule)) }
        require:
          device.group: g\(rule)
          device.posture: { source: intune, status: compliant, max_age: \(maximumAge)h }
          proof:
            any_of:
              - one_time_credential: { bound_to: device.id }
              - certificate_of_ours: { for: renewal }
        certificate:
          common_name: "{device.id}"
          san: { dns: ["{device.dns}"] }
          extended_key_usage: [client_auth]
          validity: { at_most: 90d }
          if_csr_differs: deny

        """
    }

    private func cases(_ rule: Int, ofDeny: Bool) -> String {
        let special = ofDeny ? "posture.jailbroken: true" : "device.group: []"
        let expected = ofDeny ? "never-jailbroken" : "no-rule"
        return """
            tests: v1
            base:
              service: \(service(rule))
              profile: \(profile(rule))
              device: { id: LT-042, group: [g\(rule)], dns: [lt-042.devices.example] }
              posture: { source: intune, status: compliant, jailbroken: false, age: 12m }
              proof: { one_time_credential: { bound_to: LT-042 } }
              csr: { common_name: LT-042 }
            cases:
              - { name: healthy, expect: { permit: r\(rule) } }
              - { name: stale, with: { posture.age: 5h }, expect: { defer: posture.stale } }
              - { name: unproven, without: [proof], expect: { deny: proof.none } }
              - { name: blocked, with: { \(special) }, expect: { deny: \(expected) } }

            """
    }

    // MARK: Requests

    /// Request `number` of a stream whose devices belong to one rule each: most are healthy, every tenth has
    /// old posture, every twentieth is in no group and every fortieth has spent its credential.
    func input(_ number: Int) -> PolicyInput? {
        let rule = number * 7_919 % max(1, ruleCount)
        guard let device = DeviceID("LT-\(number % 5_000)"), let credential = CredentialID("ABCDEFGHIJKLMNOP")
        else { return nil }
        let now = Timestamp(seconds: 1_790_000_000 + Int64(number))
        let dns = "lt-\(number % 5_000).devices.example"
        let age: Int64 = number % 10 == 3 ? 18_000 : number % 10 == 4 ? 10_000 : 720
        return PolicyInput(
            service: ServiceName(service(rule)), requestedProfile: ProfileName(profile(rule)),
            enrollmentProtocol: number % 2 == 0 ? .est : .scep, operation: .enroll, instant: now,
            request: RequestFacts(
                names: CertificateNames(commonName: device.rawValue, dns: [dns]),
                extendedKeyUsages: ["1.3.6.1.5.5.7.3.2"],
                publicKey: PublicKey(
                    subjectPublicKeyInfo: (0..<91).map { UInt8(truncatingIfNeeded: $0 * 37 + number) },
                    algorithm: .p256),
                digest: Digest(of: Array("\(number)".utf8))),
            proofs: [
                .oneTimeCredential(
                    id: credential, device: device, state: number % 40 == 7 ? .spent : .usable)
            ],
            provenDevice: device,
            device: DeviceFacts(
                id: device, serial: "C02X\(number % 5_000)", groups: number % 20 == 11 ? [] : ["g\(rule)"],
                dns: [dns], owner: "jane@corp.example",
                posture: [
                    PostureFact(
                        source: "intune", status: .compliant, jailbroken: false,
                        observedAt: now.adding(seconds: -age))
                ]),
            history: HistoryFacts(activeCertificates: 1), clientAddress: "192.0.2.7")
    }
}
