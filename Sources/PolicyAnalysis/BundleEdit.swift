import EnrollmentCore
import Policy

/// One difference between the texts of two bundles.
package struct BundleEdit: Sendable, Hashable {
    /// What differs.
    package enum Part: String, Sendable, Hashable, CaseIterable { case file, rule, service, profile, catalog }
    /// How. The raw values are stable.
    package enum Change: String, Sendable, Hashable, CaseIterable {
        case added, removed, changed
        /// Another text that decides alike: a title, a reason, an owner, a review date.
        case reworded
    }

    /// What it does to certificates and decisions, where that is not told by comparing decisions: those of
    /// rules are compared, the catalog is judged by what it says. The raw values are stable.
    package enum Effect: String, Sendable, Hashable, CaseIterable {
        /// To none.
        case none
        /// Somebody may get less, or for a shorter time.
        case narrows
        /// Something comes out otherwise, neither more nor less.
        case changes
        /// Somebody may get more, or what it comes to cannot be told.
        case widens

        /// Of a set of things allowed.
        init<Value>(allowed old: Set<Value>, _ new: Set<Value>) {
            self = old == new ? .none : new.isSubset(of: old) ? .narrows : .widens
        }

        /// Of a bound: more is wider.
        init<Value: Comparable>(bound old: Value, _ new: Value) {
            self = new == old ? .none : new > old ? .widens : .narrows
        }
    }

    package let part: Part
    package let change: Change
    /// The path, id or name.
    package let name: String
    /// What changed, e.g. `protocols: scep → est, scep`; empty where that is all there is to say.
    package let detail: String
    package let effect: Effect
}
