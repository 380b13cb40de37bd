import EnrollmentCore
import Testing

@testable import Policy

/// A starter bundle with one thing broken, and exactly what loading says of it.
struct BrokenBundle: Sendable, CustomTestStringConvertible {
    enum Change: Sendable {
        /// The first text in the file becomes the second.
        case edit(String, String)
        /// The file becomes this, or goes.
        case replace(String?)
    }

    let path: String
    let change: Change
    let message: String

    init(_ path: String, _ change: Change, _ message: String) {
        self.path = path
        self.change = change
        self.message = message
    }

    var testDescription: String { message }

    func diagnostics() throws -> [String] {
        let files =
            switch change {
            case .edit(let old, let new): try StarterBundle.files(editing: path, old, new)
            case .replace(let text): try StarterBundle.files(with: path, as: text)
            }
        do throws(PolicyLoadError) {
            _ = try PolicyBundle(files: files)
            return []
        } catch {
            return error.diagnostics.map(\.description)
        }
    }
}

private let rule = "rules/corp-laptop-client-auth.yaml"
private let cases = "rules/corp-laptop-client-auth.cases.yaml"
private let deny = "rules/never-jailbroken.yaml"
private let gear = "rules/network-gear-identity.yaml"

struct BrokenBundleTests {
    static let syntax: [BrokenBundle] = [
        BrokenBundle(
            gear, .edit("mode: enforce", "mode: enforce\nmode: enforce"),
            "\(gear):6:1: the key `mode` is given twice (keep one of them)"),
        BrokenBundle(
            gear, .edit("title: Id", "title: &a Id"),
            "\(gear):3:8: an anchor (write the value out where it is needed)"),
        BrokenBundle(
            gear, .edit("title: Identities", "title: *a # Identities"),
            "\(gear):3:8: found undefined alias (write the value out)"),
        BrokenBundle(
            gear, .edit("title: Id", "title: !!str Id"),
            "\(gear):3:8: a tag (quote the value if it is text)"),
        BrokenBundle(
            gear, .edit("title: Id", "!!str title: Id"),
            "\(gear):3:1: a tag (quote the value if it is text)"),
        BrokenBundle(
            gear, .edit("mode: enforce", "<<: { mode: enforce }"),
            "\(gear):6:1: a merge key (write the values out)"),
        BrokenBundle(
            gear, .edit("  device.group", "\tdevice.group"), "\(gear):13:1: a tab (indent with spaces)"),
        BrokenBundle(
            gear, .edit("policy: v1\n", "policy: v1\r\n"),
            "\(gear):1:11: a carriage return (end lines with a line feed alone)"),
        BrokenBundle(
            gear, .edit("Identities", "\u{202e}Identities"),
            "\(gear):3:8: a control or invisible character (remove it)"),
        BrokenBundle(
            gear, .edit("if_csr_differs: deny", "if_csr_differs: deny\n---\npolicy: v1"),
            "\(gear):23:1: a second document (one document a file)"),
        BrokenBundle(
            gear, .edit("{ service: network-gear", "{ service: network-gear,, }"),
            "\(gear):10:37: not YAML: did not find expected node content"),
        BrokenBundle(gear, .replace(""), "\(gear): the file is empty"),
        BrokenBundle(
            gear, .replace(String(repeating: "#", count: (1 << 20) + 1)),
            "\(gear): larger than 1 MiB (split it)"),
        BrokenBundle(gear, .edit("title: Id", "[a]: b\ntitle: Id"), "\(gear):3:1: a key that is not a word"),
    ]

    static let catalog: [BrokenBundle] = [
        BrokenBundle(
            "owners.yaml", .replace(nil), "owners.yaml: this file is missing (every bundle declares it)"),
        BrokenBundle(
            "owners.yaml", .edit("default: Device Identity", "default: Device Identify"),
            "owners.yaml:3:10: unknown team `Device Identify` (did you mean `Device Identity`?)"),
        BrokenBundle(
            "catalog/services.yaml", .edit("default: true", "default: yes"),
            "catalog/services.yaml:9:14: `default` must be `true` or `false`"),
        BrokenBundle(
            "catalog/services.yaml", .edit("    default: true\n", ""),
            "catalog/services.yaml:3:1: 0 services say `default: true` (exactly one service is the default)"),
        BrokenBundle(
            "catalog/services.yaml", .edit("[client-auth]", "[client-aut]"),
            "catalog/services.yaml:12:15: unknown profile `client-aut` (did you mean `client-auth`?)"),
        BrokenBundle(
            "catalog/services.yaml", .edit("72h", "72"),
            "catalog/services.yaml:16:33: `deferred_credential_hold` has no unit (write 72s, 72m, 72h or 72d)"
        ),
        BrokenBundle(
            "catalog/services.yaml", .edit("[scep, est, acme]", "[scep, ets]"),
            "catalog/services.yaml:10:23: `protocols` cannot be `ets` (did you mean `est`?)"),
        BrokenBundle(
            "catalog/services.yaml", .edit("  laptops:", "  Laptops:"),
            "catalog/services.yaml:5:3: `Laptops` is not a name "
                + "(1 to 64 lower-case letters, digits and hyphens, a letter first)"),
        BrokenBundle(
            "catalog/profiles.yaml", .edit("ec-p256", "ec-p255"),
            "catalog/profiles.yaml:8:22: `key_algorithms` cannot be `ec-p255` (did you mean `ec-p256`?)"),
        BrokenBundle(
            "catalog/profiles.yaml", .edit("backdating: 5m", "backdating: 25h"),
            "catalog/profiles.yaml:12:17: `backdating` must be at most 24h"),
        BrokenBundle(
            "catalog/groups.yaml", .edit("    review_by: 2027-11-30\n", ""),
            "catalog/groups.yaml:5:5: `review_by` is missing from `corp-laptops` "
                + "(the date by which the owner looks at it again)"),
        BrokenBundle(
            "catalog/sources.yaml", .edit("catalog: v1", "catalog: v2"),
            "catalog/sources.yaml:2:10: unknown version `v2` (write `catalog: v1`)"),
        BrokenBundle(
            "catalog/group.yaml", .replace("catalog: v1"),
            "catalog/group.yaml: no part of a bundle (did you mean `catalog/groups.yaml`?)"),
    ]

    static let rules: [BrokenBundle] = [
        BrokenBundle(
            rule, .edit("require:", "requires:"),
            "\(rule):12:1: unknown key `requires` in `the rule` (did you mean `require`?)"),
        BrokenBundle(
            rule, .edit("  device.group: corp-laptops", "  device.groop: corp-laptops"),
            "\(rule):13:3: unknown attribute `device.groop` (did you mean `device.group`?)"),
        BrokenBundle(
            rule, .edit("corp-laptops\n", "corp-laptop\n"),
            "\(rule):13:17: unknown group `corp-laptop` (did you mean `corp-laptops`?)"),
        BrokenBundle(
            rule, .edit("source: intune", "source: intuna"),
            "\(rule):14:29: unknown source `intuna` (did you mean `intune`?)"),
        BrokenBundle(
            rule, .edit(", max_age: 4h", ""),
            "\(rule):14:19: `max_age` is missing from `device.posture` "
                + "(a fact of any age proves nothing; write max_age: 4h)"),
        BrokenBundle(
            rule, .edit("max_age: 4h", "max_age: 4"),
            "\(rule):14:65: `max_age` has no unit (write 4s, 4m, 4h or 4d)"),
        BrokenBundle(
            rule, .edit("service: laptops", "service: laptop"),
            "\(rule):10:24: unknown service `laptop` (did you mean `laptops`?)"),
        BrokenBundle(
            rule, .edit("profile: client-auth", "profile: client-aut"),
            "\(rule):10:42: unknown profile `client-aut` (did you mean `client-auth`?)"),
        BrokenBundle(
            rule, .edit("service: laptops, ", ""),
            "\(rule):10:13: `service` is missing from `applies_to` (write `any` to mean every one)"),
        BrokenBundle(
            rule, .edit("service: laptops", "protocol: esp, service: laptops"),
            "\(rule):10:25: `protocol` cannot be `esp` (did you mean `est`?)"),
        BrokenBundle(
            rule, .edit(", contact: device-identity@corp.example", ""),
            "\(rule):4:8: `contact` is missing from `owner`"),
        BrokenBundle(
            rule, .edit("team: Device Identity", "team: Device Ident"),
            "\(rule):4:16: unknown team `Device Ident` (known: Device Identity, Endpoint Security, "
                + "Network Engineering, Server Platform)"),
        BrokenBundle(
            rule, .edit("review_by: 2027-11-30\n", ""),
            "\(rule):1:1: `review_by` is missing from `the rule` (the date by which the owner looks at it again)"
        ),
        BrokenBundle(
            rule, .edit("2027-11-30", "30.11.2027"),
            "\(rule):5:12: `review_by` must be a date (write 2027-03-31)"),
        BrokenBundle(
            rule, .edit("2027-11-30", "2027-02-30"),
            "\(rule):5:12: `review_by` must be a date (write 2027-03-31)"),
        BrokenBundle(
            rule, .edit("mode: enforce", "mode: shadow"),
            "\(rule):6:7: `mode` cannot be `shadow` (known: enforce)"),
        BrokenBundle(
            rule, .edit("id: corp-laptop-client-auth", "id: corp-laptops"),
            "\(rule):2:5: the rule `corp-laptops` is in the file `corp-laptop-client-auth.yaml` (name them alike)"
        ),
        BrokenBundle(
            rule, .edit("title: Client", "title: 12 # Client"),
            "\(rule):3:8: `title` must be text, and `12` is not (write \"12\")"),
        BrokenBundle(
            rule, .edit("bound_to: device.id", "bound_to: device.serial"),
            "\(rule):17:42: `bound_to` cannot be `device.serial` (write `bound_to: device.id`)"),
        BrokenBundle(
            rule, .edit("one_time_credential", "one_time_password"),
            "\(rule):17:9: unknown proof `one_time_password` (known: all_of, any_of, certificate_of_ours, "
                + "domain_control, none_of, one_time_credential)"),
        BrokenBundle(
            rule, .edit("    any_of:", "    none_of:"),
            "\(rule):16:5: `none_of` cannot stand in `proof` (name the proofs that are wanted)"),
        BrokenBundle(
            rule, .edit("\"{device.id}\"", "\"{device.name}\""),
            "\(rule):21:16: unknown attribute `device.name` (known: device.dns, device.email, device.id, "
                + "device.serial, device.upn, request.dns)"),
        BrokenBundle(
            rule, .edit("\"{device.id}\"", "\"{device.dns}\""),
            "\(rule):21:16: `common_name` takes one name, and `{device.dns}` is a list"),
        BrokenBundle(
            rule, .edit("\"{device.dns}\"", "\"www.{device.dns}\""),
            "\(rule):22:16: `{device.dns}` is a list, and must stand alone"),
        BrokenBundle(
            rule, .edit("[client_auth]", "[server_auth]"),
            "\(rule):23:23: the profile `client-auth` does not grant `server_auth`"),
        BrokenBundle(
            rule, .edit("  validity: { at_most: 90d }\n", ""),
            "\(rule):21:3: `validity` is missing from `certificate` (validity: { at_most: 90d })"),
        BrokenBundle(
            rule, .edit("if_csr_differs: deny", "if_csr_differs: replace"),
            "\(rule):25:19: `if_csr_differs` cannot be `replace` (known: deny)"),
        BrokenBundle(cases, .replace(nil), "\(rule): this rule has no cases (write \(cases) beside it)"),
        BrokenBundle(rule, .replace(nil), "\(cases): these cases have no rule (write \(rule))"),
        BrokenBundle(
            "rules/extra.yml", .replace("policy: v1"),
            "rules/extra.yml: files of a bundle end in .yaml (rename it)"),
        BrokenBundle(
            cases, .edit("posture.age: 5h", "posture.aeg: 5h"),
            "\(cases):60:13: unknown key `aeg` in `posture` (did you mean `age`?)"),
        BrokenBundle(
            cases, .edit("without: [posture]", "without: [postures]"),
            "\(cases):72:14: `postures` is not in the base (`without` takes away what the base gives)"),
        BrokenBundle(
            cases, .edit("{ defer: posture.stale }", "{ validity: 3d }"),
            "\(cases):61:13: `expect` needs one of permit, defer and deny"),
        BrokenBundle(
            cases, .edit("inquiry: account", "inquiry: accounts"),
            "\(cases):36:38: `inquiry` must be `true`, `false` or `account`"),
    ]

    static let denyRules: [BrokenBundle] = [
        BrokenBundle(
            deny, .edit("  device.jailbroken: { is: false, max_age: 4h }", "  {}"),
            "\(deny):13:3: `block_unless` is empty (name at least one condition)"),
        BrokenBundle(deny, .edit("is: false", "is: no"), "\(deny):13:28: `is` must be `true` or `false`"),
        BrokenBundle(
            deny, .edit("is: false", "is: true"),
            "\(deny):13:28: `device.jailbroken` can only be required to be false (write `is: false`)"),
        BrokenBundle(
            deny, .edit("block_unless:", "block_if:"),
            "\(deny):1:1: `block_unless` is missing from `the rule`"),
        BrokenBundle(
            deny, .edit("block_unless:", "require:"),
            "\(deny):13:3: a deny rule has no `require` (write `block_unless`)"),
        BrokenBundle(
            deny, .edit("block_unless:", "certificate: { }\nblock_unless:"),
            "\(deny):12:14: a deny rule has no `certificate` (remove it)"),
        BrokenBundle(
            deny, .edit("device.jailbroken: {", "client.address: 10.0.0.1/8\n  device.jailbroken: {"),
            "\(deny):13:19: `10.0.0.1/8` has bits set after its prefix (give the network's own address)"),
        BrokenBundle(
            deny, .edit("device.jailbroken: {", "device.id: { glob: \"a*b*\" }\n  device.jailbroken: {"),
            "\(deny):13:22: `a*b*` is not a glob (exactly one * beside other characters)"),
        BrokenBundle(
            deny, .edit("device.jailbroken: {", "device.id: { within: 10.0.0.0/8 }\n  device.jailbroken: {"),
            "\(deny):13:16: `device.id` cannot be matched with `within`"),
        BrokenBundle(
            deny, .edit("  device.jailbroken:", "  none_of: [ { device.jailbroken: { is: false } } ]\n  #"),
            "\(deny):13:16: `device.jailbroken` cannot stand in `none_of` (name the state that is safe instead)"
        ),
        BrokenBundle(
            deny,
            .edit(
                "  device.jailbroken:",
                "  any_of: [ { any_of: [ { any_of: [ { device.id: x } ] } ] } ]\n  #"),
            "\(deny):13:27: `any_of` is nested more than two deep (split the rule)"),
    ]

    @Test(arguments: syntax + catalog + rules + denyRules)
    func names(_ broken: BrokenBundle) throws {
        let diagnostics = try broken.diagnostics()
        #expect(diagnostics.contains(broken.message), "\(diagnostics)")
    }

    /// One run names every fault of every file.
    @Test func collectsManyFaults() throws {
        var files = try StarterBundle.files(editing: rule, "service: laptops", "service: laptop")
        files = files.map { file in
            guard file.path == deny else { return file }
            let text = String(decoding: file.bytes, as: UTF8.self)
            return BundleFile(path: deny, bytes: Array(text.split(separator: "mode: enforce").joined().utf8))
        }
        do throws(PolicyLoadError) {
            _ = try PolicyBundle(files: files)
            Issue.record("loaded")
        } catch {
            #expect(Set(error.diagnostics.map(\.file)) == [rule, deny])
        }
    }

    @Test func filesThatAreNotTextAreRefused() throws {
        for bytes in [[0xff, 0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80]] as [[UInt8]] {
            let files = try StarterBundle.files(with: gear, as: nil) + [BundleFile(path: gear, bytes: bytes)]
            #expect(throws: PolicyLoadError.self) { try PolicyBundle(files: files) }
        }
    }

    /// Whatever is cut out of a bundle, loading ends, and says where when it fails.
    @Test func truncatedFilesNeverCrash() throws {
        let file = try #require(StarterBundle.files().first { $0.path == rule })
        let rest = try StarterBundle.files().filter { $0.path != rule }
        for length in stride(from: 0, to: file.bytes.count, by: 7) {
            let files = rest + [BundleFile(path: rule, bytes: Array(file.bytes.prefix(length)))]
            do throws(PolicyLoadError) {
                _ = try PolicyBundle(files: files)
            } catch {
                #expect(!error.diagnostics.isEmpty)
            }
        }
    }
}
