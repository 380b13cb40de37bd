import EnrollmentCore
import Policy
import Testing

@testable import PolicyReview

/// `policy owners`: dates, teams and gaps.
struct OwnershipTests {
    private func report(_ instant: String, days: Int64 = 90) throws -> OwnershipReport {
        OwnershipReport(
            bundle: try SampleBundle.small(), at: try #require(Timestamp(rfc3339: instant)),
            within: days * 86_400)
    }

    @Test(arguments: [
        ("2026-11-22T00:00:00Z", OwnershipReport.State.good), ("2027-09-01T00:00:00Z", .dueSoon),
        ("2027-09-02T00:00:00Z", .dueSoon), ("2027-11-30T00:00:00Z", .dueSoon),
        ("2027-11-30T00:00:01Z", .overdue),
    ])
    func datesHaveAState(instant: String, state: OwnershipReport.State) throws {
        let report = try report(instant)
        #expect(Set(report.lines.map(\.state)) == [state])
        #expect(report.isOverdue == (state == .overdue))
    }

    @Test func everythingGovernedIsListed() throws {
        let lines = try report("2026-11-22T00:00:00Z").lines
        #expect(
            lines.map { "\($0.kind) \($0.name)" }
                == [
                    "group guests", "profile badge", "proof certificate_of_ours", "proof one_time_credential",
                    "rule entry", "service door", "source intune",
                ])
        let starter = try SampleBundle.starter()
        let all = OwnershipReport(bundle: starter, at: Timestamp(seconds: 0), within: 0)
        #expect(all.lines.count == starter.reviews.count)
    }

    @Test func gapsAreNamed() throws {
        let gaps = try report("2026-11-22T00:00:00Z").gaps
        #expect(gaps.contains("Service Desk names no escalation"))
        #expect(gaps.contains { $0.hasPrefix("every member of Service Desk must approve for rule entry") })
        #expect(gaps.count == 2)
        let rule = SampleBundle.entry.replacing(
            "contact: gate@corp.example", with: "contact: other@corp.example"
        )
        .replacing("approval: ", with: "# approval: ")
        let cases = SampleBundle.entryCases.replacing("defer: approval.waiting", with: "permit: entry")
        let bundle = try SampleBundle.small(["entry": (rule, cases)])
        let others = OwnershipReport(bundle: bundle, at: Timestamp(seconds: 0), within: 0).gaps
        #expect(others.contains("Service Desk answers for nothing and approves nothing"))
        #expect(
            others.contains(
                "rules/entry.yaml:1: rule entry names the contact other@corp.example, and owners.yaml gate@corp.example for Gatekeepers"
            ))
    }

    @Test func teamsTellTheirMembersAndEscalation() throws {
        let teams = try report("2026-11-22T00:00:00Z").teams
        #expect(teams.map(\.name) == ["Gatekeepers", "Service Desk"])
        #expect(teams.first?.escalation == "duty@corp.example")
        #expect(teams.last?.members.sorted() == ["os:amir", "os:jane"])
        #expect(teams.first?.things == 7)
    }
}
