/// What the engine is asked, and so how much of a request there is to judge.
package enum PolicyQuestion: Sendable, Hashable {
    /// A certificate request, whole.
    case request
    /// Names alone: the key and the control of domains come later.
    case inquiry
    /// A device alone: all that a certificate request brings comes later, and counts as given.
    case account
}
