import EnrollmentCore
import Synchronization

/// Reproducible octets (the SplitMix64 sequence of a seed). Never for anything but tests.
package final class SeededRandom: RandomSource {
    private let state: Mutex<UInt64>

    /// - Parameter seed: equal seeds give equal sequences.
    package init(seed: UInt64 = 1) { state = Mutex(seed) }

    package func octets(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// The next 64 bits of the sequence.
    package func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }
}
