import EnrollmentCore
import EnrollmentTesting
import Identity
import Testing

struct GuessLimiterTests {
    private let start = ManualClock().now()

    @Test func aSourceIsThrottledForTheRestOfItsMinute() {
        let guesses = GuessLimiter(limit: 2)
        let answers = (0..<4).map { guesses.countFailure(from: "a", at: start.adding(seconds: $0)) }
        #expect(answers == [false, false, true, true])
        #expect(!guesses.countFailure(from: "b", at: start))
        #expect(guesses.countFailure(from: "a", at: start.adding(seconds: 59)))
        #expect(!guesses.countFailure(from: "a", at: start.adding(seconds: 60)))
    }

    @Test func aClockSetBackThrottlesNobodyForLong() {
        let guesses = GuessLimiter(limit: 0)
        #expect(guesses.countFailure(from: "a", at: start))
        let kind = GuessLimiter(limit: 1)
        #expect(!kind.countFailure(from: "a", at: start))
        #expect(!kind.countFailure(from: "a", at: start.adding(seconds: -86_400)))
    }

    @Test func itsMemoryIsBounded() {
        let guesses = GuessLimiter(limit: 1, capacity: 3)
        for source in ["a", "b", "c", "d"] { _ = guesses.countFailure(from: source, at: start) }
        #expect(!guesses.countFailure(from: "a", at: start))
        #expect(guesses.countFailure(from: "a", at: start))
    }
}
