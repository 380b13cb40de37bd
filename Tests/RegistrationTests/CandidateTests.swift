import EnrollmentCore
import EnrollmentTesting
import Foundation
import Policy
import Registration
import Testing

extension RegistrationTests {
    /// The steps of activation that need no second gateway.
    @Suite struct CandidateTests {
        /// A bundle that loads is refused by a later step.
        @Test(arguments: [
            ("issuer: issuing", "issuer: other", "catalog/services.yaml", "no issuer `other`"),
            (
                "permit: corp-laptop-client-auth", "permit: server-tls",
                "rules/corp-laptop-client-auth.cases.yaml", "fails: expected"
            ),
        ])
        func refusedAfterLoading(old: String, new: String, file: String, fault: String) async throws {
            let house = try await Gatehouse()
            let replica = PolicyReplica(house, active: house.registrar.policy)
            let folder = try PolicyFolder()
            try folder.replace(old, by: new, in: file)
            let verdict = try await replica.activation.propose(
                PolicyCandidate(directory: folder.path), byName: true)
            guard case .refused(_, let faults, isNew: true) = verdict else {
                Issue.record("\(verdict)")
                return
            }
            #expect(faults.contains { $0.file == file && $0.message.contains(fault) }, "\(faults)")
            #expect(faults.allSatisfy { $0.line > 0 && $0.remedy?.contains(folder.path) ?? false })
            #expect(try house.count("audit.alerts WHERE detail LIKE '%\(file)%'") == 1)
        }

        @Test func analysisRefuses() async throws {
            let house = try await Gatehouse()
            let fault = PolicyDiagnostic(file: "rules/a.yaml", line: 3, column: 1, message: "no", remedy: nil)
            let replica = PolicyReplica(house, active: house.registrar.policy) { _ in [fault] }
            let folder = try PolicyFolder()
            try folder.amend(1)
            let candidate = PolicyCandidate(directory: folder.path)
            guard
                case .refused(let digest, [fault], isNew: true) = try await replica.activation.propose(
                    candidate, byName: false)
            else {
                Issue.record("not refused")
                return
            }
            #expect(digest == candidate.digest)
            #expect(throws: PolicyLoadError.self) { try replica.activation.vet(candidate) }
        }

        /// A candidate is named as its bundle would be, whether or not it loads.
        @Test func candidatesAreNamedAsBundles() throws {
            let folder = try PolicyFolder()
            let candidate = PolicyCandidate(directory: folder.path)
            #expect(candidate.digest == (try PolicyBundle(files: PolicyFolder.starter())).digest)
            #expect(PolicyCandidate(files: []).digest == PolicyBundle.nothing.digest)
            try folder.spoil()
            #expect(PolicyCandidate(directory: folder.path).digest != candidate.digest)
            let missing = PolicyCandidate(directory: folder.path + "/missing")
            #expect(missing.digest != PolicyBundle.nothing.digest)
        }

        @Test func faultsAreBounded() async throws {
            let house = try await Gatehouse()
            let replica = PolicyReplica(house, active: house.registrar.policy)
            let files = (0..<300).map { BundleFile(path: "x\($0).yaml", bytes: Array("a: b".utf8)) }
            try await replica.activation.propose(PolicyCandidate(files: files), byName: false)
            let detail = try house.value("SELECT detail FROM audit.alerts WHERE detector = 'policy-refused'")
            #expect(detail.components(separatedBy: "; ").count == 4 && detail.hasSuffix("more"), "\(detail)")
            let faults = try house.value("SELECT faults FROM audit.policies WHERE verdict = 'refused'")
            #expect(faults.split(separator: "\n").count == 51)
        }

        /// A hidden file beside the rules is seen, and refused.
        @Test func hiddenRulesAreSeen() throws {
            let folder = try PolicyFolder()
            let before = folder.directory.fingerprint()
            try folder.add(".gitignore")
            #expect(folder.directory.fingerprint() == before)
            try folder.add("rules/.stolen.yaml")
            #expect(folder.directory.fingerprint() != before)
            #expect(throws: PolicyLoadError.self) { try BundleFile.read(directory: folder.path) }
        }

        /// A directory that is being written is not judged; one that is asked for is.
        @Test func directoriesSettle() throws {
            let folder = try PolicyFolder()
            var directory = folder.directory
            let start = ContinuousClock.now
            let look1 = directory.changed(at: start, hurried: false)
            #expect(look1 == nil)
            let later = directory.changed(at: start + .seconds(2), hurried: false)
            let settled = try #require(later)
            // Until it is judged it stays to be judged.
            let look2 = directory.changed(at: start + .seconds(4), hurried: false)
            #expect(look2 == settled)
            directory.judged(settled, holding: Digest(of: [1]))
            let look3 = directory.changed(at: start + .seconds(6), hurried: true)
            #expect(look3 == nil)
            try folder.amend(1)
            let look4 = directory.changed(at: start + .seconds(8), hurried: false)
            #expect(look4 == nil)
            try folder.amend(2)
            let look5 = directory.changed(at: start + .seconds(10), hurried: false)
            #expect(look5 == nil)
            let look6 = directory.changed(at: start + .seconds(10), hurried: true)
            #expect(look6 != nil)
            let look7 = directory.changed(at: start + .seconds(12), hurried: false)
            #expect(look7 == directory.fingerprint())
            try FileManager.default.removeItem(atPath: folder.path)
            let look8 = directory.changed(at: start + .seconds(14), hurried: true)
            #expect(look8 != nil)
            // What is no part of a bundle changes nothing.
            try folder.restore()
            let before = directory.fingerprint()
            try Data("x".utf8).write(to: URL(fileURLWithPath: folder.path + "/.hidden"))
            #expect(directory.fingerprint() == before)
        }

        @Test func overdueReviewsAreReportedOnce() async throws {
            let house = try await Gatehouse()
            let (one, two) = (PolicyReplica(house, "gw-1"), PolicyReplica(house, "gw-2"))
            try await one.activation.follow()
            try await two.activation.follow()
            #expect(try await one.activation.reportOverdueReviews().isEmpty)
            house.clock.advance(seconds: 5 * 365 * 86_400)
            let raised = try await one.activation.reportOverdueReviews()
            #expect(raised.contains { $0.subject == "service laptops" })
            #expect(try await two.activation.reportOverdueReviews().isEmpty)
            #expect(try house.count("audit.alerts WHERE detector = 'review-overdue'") == raised.count)
            let owner = try house.value("SELECT owner FROM audit.alerts WHERE subject = 'service laptops'")
            #expect(owner == "Device Identity")
        }
    }
}
