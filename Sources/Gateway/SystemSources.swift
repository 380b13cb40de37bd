import EnrollmentCore
import Foundation

/// The computer's clock. The one place where the current time is read.
struct SystemClock: WallClock {
    func now() -> Timestamp {
        let seconds = Date().timeIntervalSince1970
        return Timestamp(microseconds: Int64(seconds * 1_000_000))
    }
}

/// The operating system's generator. The one place where randomness is made.
struct SystemRandom: RandomSource {
    func octets(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
