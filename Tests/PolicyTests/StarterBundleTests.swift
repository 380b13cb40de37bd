import EnrollmentCore
import Foundation
import Policy
import Testing

/// The bundle under `policies/` loads, passes its own cases, and opens the gate to no stranger.
struct StarterBundleTests {
    @Test func casesPass() throws {
        let report = PolicyTestRunner(bundle: try StarterBundle.load()).run()
        for failure in report.failures {
            Issue.record(
                "\(failure.file):\(failure.line) \(failure.name): expected \(failure.expected), got \(failure.actual)"
            )
        }
        #expect(report.problems.map(\.description) == [])
        #expect(report.passed && report.results.count > 60)
    }

    @Test func declaresWhatTheContractNames() throws {
        let bundle = try StarterBundle.load()
        #expect(
            bundle.services.map(\.name.rawValue) == ["contractors", "laptops", "network-gear", "servers"])
        #expect(bundle.defaultService?.name == ServiceName("laptops"))
        #expect(bundle.service(named: ServiceName("laptops"))?.protocols == [.scep, .est, .acme])
        #expect(bundle.service(named: ServiceName("servers"))?.protocols == [.acme, .est])
        #expect(bundle.service(named: ServiceName("network-gear"))?.protocols == [.scep])
        #expect(bundle.owner == Owner(team: "Device Identity", contact: "device-identity@corp.example"))
        #expect(bundle.counts.rules == 5 && bundle.counts.profiles == 3)
    }

    @Test func reviewDatesWarnOnceTheyArePast() throws {
        let bundle = try StarterBundle.load()
        let before = try #require(Timestamp(rfc3339: "2027-11-29T00:00:00Z"))
        let after = try #require(Timestamp(rfc3339: "2027-12-01T00:00:00Z"))
        #expect(bundle.reviewWarnings(at: before) == [])
        let warnings = bundle.reviewWarnings(at: after)
        let dates = try StarterBundle.files().map {
            String(decoding: $0.bytes, as: UTF8.self).components(separatedBy: "review_by:").count - 1
        }
        #expect(warnings.count == dates.reduce(0, +))
        #expect(
            warnings.contains {
                $0.file == "rules/never-jailbroken.yaml"
                    && $0.message.contains("was to be reviewed by 2027-11-30")
                    && $0.remedy == "ask Endpoint Security, soc@corp.example"
            })
    }

    @Test func digestIsOfTheCanonicalBytes() throws {
        let bundle = try StarterBundle.load()
        #expect(bundle.digest == Digest(of: bundle.canonicalBytes))
        #expect(try PolicyBundle(files: StarterBundle.files().reversed()).digest == bundle.digest)
        let changed = try StarterBundle.files(
            editing: "rules/server-tls.yaml", "at_most: 30d", "at_most: 29d")
        #expect(try PolicyBundle(files: changed).digest != bundle.digest)
        let restored = try #require(BundleFile.files(fromCanonical: bundle.canonicalBytes))
        #expect(try PolicyBundle(files: restored).digest == bundle.digest)
    }

    @Test func everyDecisionCarriesThePolicy() throws {
        let bundle = try StarterBundle.load()
        let engine = PolicyEngine(bundle: bundle)
        var input = try StarterBundle.laptop()
        #expect(engine.decide(input).policy == bundle.digest)
        input.service = ServiceName("nowhere")
        #expect(engine.decide(input).policy == bundle.digest)
        #expect(engine.decide(input).owner == bundle.owner)
    }

    @Test func readRefusesLinksAndMissingDirectories() throws {
        let root = FileManager.default.temporaryDirectory.appending(
            path: "bundle-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        try FileManager.default.createSymbolicLink(
            at: root.appending(path: "owners.yaml"), withDestinationURL: URL(filePath: "/etc/hostname"))
        #expect(throws: PolicyLoadError.self) {
            try BundleFile.read(directory: root.path(percentEncoded: false))
        }
        #expect(throws: PolicyLoadError.self) { try BundleFile.read(directory: "/nonexistent-bundle") }
    }
}
