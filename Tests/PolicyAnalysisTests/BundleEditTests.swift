import EnrollmentCore
import Testing

@testable import Policy
@testable import PolicyAnalysis

/// One edit of the starter bundle and the line it is told in.
struct EditLine: Sendable, CustomTestStringConvertible {
    let path: String
    let old: String
    let new: String
    /// Effect, part, name and detail.
    let line: String
    var testDescription: String { line }

    init(_ path: String, _ old: String, _ new: String, _ line: String) {
        (self.path, self.old, self.new, self.line) = (path, old, new, line)
    }
}

/// What is said of edits, and what they come to.
struct BundleEditTests {
    private static let laptop = "rules/corp-laptop-client-auth.yaml"
    private static let contractor = "rules/contractor-client-auth.yaml"
    private static let services = "catalog/services.yaml"
    private static let profiles = "catalog/profiles.yaml"
    private static let asked = "1 of Contractor Office within 24h"

    private static func rule(_ path: String, _ old: String, _ new: String, _ detail: String) -> EditLine {
        EditLine(path, old, new, "none rule \(path.dropFirst(6).dropLast(5)) \(detail)")
    }

    static let catalog = [
        EditLine(
            profiles, "key_usage: [digital_signature]", "key_usage: [digital_signature, key_agreement]",
            "widens profile client-auth key_usage: digital_signature → digital_signature, key_agreement"),
        EditLine(
            profiles, "backdating: 5m", "backdating: 1m", "narrows profile client-auth backdating: 5m → 1m"),
        EditLine(
            profiles, "backdating: 5m", "backdating: 1h", "widens profile client-auth backdating: 5m → 1h"),
        EditLine(
            services, "issuer: issuing", "issuer: other", "widens service laptops issuer: issuing → other"),
        EditLine(
            services, "live_certificates_per_device: 10", "live_certificates_per_device: 1",
            "narrows service laptops live_certificates_per_device: 10 → 1"),
        EditLine(
            services, "unverified_rows_per_second: 10", "unverified_rows_per_second: 20",
            "changes service laptops unverified_rows_per_second: 10 → 20"),
        EditLine(
            services, "deferred_credential_hold: 72h", "deferred_credential_hold: 24h",
            "narrows service laptops deferred_credential_hold: 3d → 1d"),
        EditLine(
            services, "account_order_span: 365d", "account_order_span: 400d",
            "widens service laptops account_order_span: 365d → 400d"),
        EditLine(
            services, "profiles: [client-auth]", "profiles: [network-device, client-auth]",
            "widens service laptops profiles: client-auth → network-device, client-auth"),
        EditLine(
            "owners.yaml", "overdue: warn", "overdue: refuse",
            "narrows catalog reviews overdue: warn → refuse"),
        EditLine("owners.yaml", "grace: 30d", "grace: 60d", "none catalog reviews grace: 30d → 60d"),
        EditLine(
            "owners.yaml", "[\"os:operator\"]", "[\"os:operator\", \"os:jane\"]",
            "widens catalog team Contractor Office members: os:operator → os:jane, os:operator"),
        EditLine(
            services, "review_by: 2027-11-30", "review_by: 2028-11-30",
            "none service laptops review_by: 2027-11-30 → 2028-11-30"),
    ]

    static let rules = [
        rule(laptop, "mode: enforce", "mode: shadow", "mode: enforce → shadow"),
        rule(laptop, "if_csr_differs: deny", "if_csr_differs: replace", "if_csr_differs: deny → replace"),
        rule(laptop, "at_most: 90d", "at_most: 30d", "validity: 90d → 30d"),
        rule(
            laptop, "profile: client-auth }", "profile: client-auth, operation: [enroll, renew] }",
            "operation: any → enroll, renew"),
        rule(
            laptop, "  device.group: corp-laptops\n", "", "conditions: device.group is corp-laptops → nothing"
        ),
        rule(
            contractor, "within: 24h", "within: 48h",
            "approval: 1 of Contractor Office within 1d → 1 of Contractor Office within 2d"),
        rule(
            contractor, "within: 24h", "within: 24h, four_eyes: true",
            "approval: 1 of Contractor Office within 1d → 1 of Contractor Office within 1d, "
                + "not by who minted the credential"),
        rule(contractor, "mode: enforce", "mode: off", "mode: enforce → off"),
    ]

    @Test(arguments: catalog + rules) func isToldInOneLine(_ edit: EditLine) throws {
        let before = try TestBundle.starter()
        let after = try TestBundle.starter(editing: edit.path, edit.old, edit.new)
        let lines = PolicyDiff(from: before, to: after).edits().filter { $0.part != .file }.map {
            "\($0.effect.rawValue) \($0.part.rawValue) \($0.name) \($0.detail)"
        }
        #expect(lines.contains(edit.line), "\(lines)")
    }

    @Test func anotherFirstProfileWidens() throws {
        let one = try TestBundle.starter(
            editing: Self.services, "profiles: [client-auth]", "profiles: [client-auth, network-device]")
        let other = try TestBundle.starter(
            editing: Self.services, "profiles: [client-auth]", "profiles: [network-device, client-auth]")
        let edits = PolicyDiff(from: one, to: other).edits().filter { $0.part == .service }
        #expect(edits.map(\.effect) == [.widens])
    }

    /// Under `refuse` a later review date lets a rule that grants live longer; a deny rule blocks anyhow.
    @Test func aReviewPutOffWidensWhereTheOverdueIsRefused() throws {
        func bundle(_ path: String?) throws -> PolicyBundle {
            let files = try TestBundle.starterFiles().map { file -> BundleFile in
                var text = String(decoding: file.bytes, as: UTF8.self)
                text = text.replacing("overdue: warn", with: "overdue: refuse")
                if file.path == path { text = text.replacing("2027-11-30", with: "2029-11-30") }
                return BundleFile(path: file.path, bytes: Array(text.utf8))
            }
            return try PolicyBundle(files: files)
        }
        let base = try bundle(nil)
        func effects(_ path: String) throws -> Set<BundleEdit.Effect> {
            Set(
                PolicyDiff(from: base, to: try bundle(path)).edits().filter { $0.part != .file }.map(\.effect)
            )
        }
        #expect(try effects(Self.laptop) == [.widens])
        #expect(try effects(Self.services) == [.widens])
        #expect(try effects("rules/never-jailbroken.yaml") == [.none])
    }

    /// Four eyes taken away, a longer time and one more member are told as widening by an example.
    @Test(arguments: [
        ("rules/contractor-client-auth.yaml", ", four_eyes: true", ""),
        ("rules/contractor-client-auth.yaml", "within: 24h", "within: 48h"),
        ("owners.yaml", "[\"os:operator\"]", "[\"os:operator\", \"os:jane\"]"),
    ])
    func aWeakerApprovalWidens(_ edit: (path: String, old: String, new: String)) throws {
        let base = try TestBundle.starter(
            editing: Self.contractor, "within: 24h", "within: 24h, four_eyes: true")
        let files = (BundleFile.files(fromCanonical: base.canonicalBytes) ?? []).map { file -> BundleFile in
            guard file.path == edit.path else { return file }
            let text = String(decoding: file.bytes, as: UTF8.self).replacing(edit.old, with: edit.new)
            return BundleFile(path: file.path, bytes: Array(text.utf8))
        }
        let changes = PolicyDiff(from: base, to: try PolicyBundle(files: files)).changes()
        #expect(changes.contains { $0.widens && $0.kind == .newlyPermitted && $0.example != nil })
    }
}
