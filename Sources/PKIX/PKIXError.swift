/// Why bytes are not the structure they were read as. Texts name a place, never quote input.
package enum PKIXError: Error, Sendable, Hashable {
    /// Over the structure's bound.
    case tooLarge
    /// Not the DER of the structure, or one that breaks its RFC; the text names the place.
    case malformed(String)
    /// Well-formed, but of a kind that is refused on purpose; the text names it.
    case forbidden(String)
}
