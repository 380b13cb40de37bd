import EnrollmentCore
import Testing

struct TimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"),
            (1_795_348_800, "2026-11-22T12:00:00Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] as [(Int64, String)])
    func secondsAndTextAgree(_ seconds: Int64, _ text: String) {
        #expect(Timestamp(seconds: seconds).rfc3339 == text)
        #expect(Timestamp(rfc3339: text) == Timestamp(seconds: seconds))
    }

    @Test func everyDayOfFourCenturiesRoundTrips() {
        for day in stride(from: Int64(0), to: 146_097, by: 1) {
            let time = CivilTime(secondsSinceEpoch: day * 86_400 + 3_661)
            let back = CivilTime.secondsSinceEpoch(
                year: time.year, month: time.month, day: time.day, hour: 1, minute: 1, second: 1)
            if back != day * 86_400 + 3_661 { Issue.record("day \(day)") }
        }
    }

    @Test(arguments: [
        "2026-11-22T10:00:00.25Z", "2026-11-22T11:00:00.250000+01:00", "2026-11-22T09:00:00.2500009-01:00",
    ])
    func zonesAndFractionsAreRead(_ text: String) {
        #expect(Timestamp(rfc3339: text)?.description == "2026-11-22T10:00:00.250000Z")
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22t10:00:00Z", "2026-02-29T10:00:00Z",
        "2026-13-01T10:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:00:60Z", "2026-11-22T10:00:00.Z",
        "2026-11-22T10:00:00+24:00", "2026-11-22T10:00:00Zx", "1969-12-31T23:59:59Z", "２026-11-22T10:00:00Z",
    ])
    func otherTextIsNoTime(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test func arithmeticSaturates() {
        #expect(Timestamp(seconds: .max).microseconds == .max)
        #expect(Timestamp(seconds: .min).microseconds == .min)
        #expect(Timestamp(microseconds: .max).adding(seconds: 1).microseconds == .max)
        #expect(Timestamp(microseconds: .min).adding(seconds: -1).microseconds == .min)
        #expect(Timestamp(microseconds: .max).seconds(since: Timestamp(microseconds: .min)) == .max)
        #expect(Timestamp(microseconds: .min).seconds == -9_223_372_036_855)
        #expect(Timestamp(microseconds: -1).seconds == -1)
        #expect(Timestamp(microseconds: -1).description == "1969-12-31T23:59:59.999999Z")
        #expect(Timestamp(microseconds: 1_999_999).wholeSeconds == Timestamp(seconds: 1))
    }
}
