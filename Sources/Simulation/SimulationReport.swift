package import EnrollmentCore

/// What a candidate bundle would have answered, beside what was answered. Reports of parts merge in any order
/// to the same whole.
package struct SimulationReport: Sendable, Hashable {
    /// Requests that changed in the same way for the same reason.
    package struct Group: Sendable, Hashable {
        /// What the members of a group have in common.
        package struct Key: Sendable, Hashable {
            package let change: Change
            /// The team that the candidate makes answerable.
            package let owner: String
            /// The candidate's reason code.
            package let reasonCode: String
            /// The candidate's rules, sorted.
            package let ruleIDs: [String]
            /// The profile that the candidate grants; nil unless it permits.
            package let profile: String?
        }

        package let key: Key
        package fileprivate(set) var count: Int
        /// The first ids of requests in it, at most `SimulationReport.maximumExamples`.
        package fileprivate(set) var examples: [RequestID]
        /// Seconds of validity that were granted, shortest to longest; nil where none was.
        package fileprivate(set) var recordedValidity: ClosedRange<Int64>?
        /// Seconds of validity that the candidate grants.
        package fileprivate(set) var candidateValidity: ClosedRange<Int64>?
    }

    /// A record that could not be read.
    package struct Unreadable: Sendable, Hashable {
        /// Its number among all records, counted from 1; in a file, its line.
        package let record: Int
        package let error: RecordError
    }

    /// How many examples of anything are kept.
    package static let maximumExamples = 5

    /// Decisions that policy did not take, by who did: there is nothing to replay.
    package private(set) var notByPolicy: [DecisionAuthority: Int] = [:]
    /// How many requests changed in each way, the unchanged among them.
    package private(set) var counts: [Change: Int] = [:]
    package private(set) var unreadableCount = 0
    /// The first of them.
    package private(set) var unreadable: [Unreadable] = []
    private var byKey: [Group.Key: Group] = [:]

    package init() {}

    /// How many requests were replayed.
    package var replayed: Int { counts.values.reduce(0, +) }
    /// How many records there were.
    package var total: Int { replayed + notByPolicy.values.reduce(0, +) + unreadableCount }
    /// How many requests would get more than they got.
    package var widened: Int { counts.reduce(0) { $0 + ($1.key.isWidening ? $1.value : 0) } }
    /// How many requests would get something else than they got.
    package var changed: Int { counts.reduce(0) { $0 + ($1.key.isBehavioural ? $1.value : 0) } }

    /// By change, what opens something first; within one, the largest first.
    package var groups: [Group] {
        byKey.values.sorted { left, right in
            let (one, other) = (left.key, right.key)
            if one.change != other.change { return one.change < other.change }
            if left.count != right.count { return left.count > right.count }
            return [one.owner, one.reasonCode, one.profile ?? ""].lexicographicallyPrecedes(
                [other.owner, other.reasonCode, other.profile ?? ""])
                || one.owner == other.owner && one.reasonCode == other.reasonCode
                    && one.profile == other.profile && one.ruleIDs.lexicographicallyPrecedes(other.ruleIDs)
        }
    }

    mutating func countUnchanged() { counts[.unchanged, default: 0] += 1 }

    mutating func count(notByPolicy authority: DecisionAuthority) { notByPolicy[authority, default: 0] += 1 }

    mutating func count(
        _ key: Group.Key, example: RequestID, recordedValidity: Int64?, candidateValidity: Int64?
    ) {
        counts[key.change, default: 0] += 1
        join(
            Group(
                key: key, count: 1, examples: [example],
                recordedValidity: recordedValidity.map { $0...$0 },
                candidateValidity: candidateValidity.map { $0...$0 }))
    }

    mutating func count(unreadable record: Int, _ error: RecordError) {
        unreadableCount += 1
        unreadable.append(Unreadable(record: record, error: error))
        trimUnreadable()
    }

    mutating func merge(_ other: SimulationReport) {
        notByPolicy.merge(other.notByPolicy, uniquingKeysWith: +)
        counts.merge(other.counts, uniquingKeysWith: +)
        unreadableCount += other.unreadableCount
        unreadable += other.unreadable
        trimUnreadable()
        for group in other.byKey.values { join(group) }
    }

    private mutating func trimUnreadable() {
        guard unreadable.count > Self.maximumExamples else { return }
        unreadable = Array(unreadable.sorted { $0.record < $1.record }.prefix(Self.maximumExamples))
    }

    private mutating func join(_ group: Group) {
        guard var known = byKey[group.key] else {
            byKey[group.key] = group
            return
        }
        known.count += group.count
        known.examples = Array((known.examples + group.examples).sorted().prefix(Self.maximumExamples))
        known.recordedValidity = Self.union(known.recordedValidity, group.recordedValidity)
        known.candidateValidity = Self.union(known.candidateValidity, group.candidateValidity)
        byKey[group.key] = known
    }

    private static func union(_ one: ClosedRange<Int64>?, _ other: ClosedRange<Int64>?) -> ClosedRange<Int64>?
    {
        guard let one, let other else { return one ?? other }
        return min(one.lowerBound, other.lowerBound)...max(one.upperBound, other.upperBound)
    }
}
