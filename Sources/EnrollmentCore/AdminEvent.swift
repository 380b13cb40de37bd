/// An act of an administrator, as recorded.
package struct AdminEvent: Sendable, Hashable {
    package let at: Timestamp
    package let actor: String
    /// Stable, e.g. `device.import`.
    package let action: String
    package let target: String
    package let reason: String

    package init(at: Timestamp, actor: String, action: String, target: String, reason: String) {
        self.at = at
        self.actor = actor
        self.action = action
        self.target = target
        self.reason = reason
    }
}
