/// Texts compared octet by octet. Swift's own `==` takes canonically equivalent Unicode for the same, and two
/// names that a relying party tells apart must never be one to a rule.
extension [String] {
    /// Whether the very text is among them.
    func holds(_ text: String) -> Bool { contains { $0.utf8.elementsEqual(text.utf8) } }

    /// Whether all of them are. Few need no set; many get one.
    func holdsAll(_ texts: [String]) -> Bool {
        if texts.count <= 8 { return texts.allSatisfy(holds) }
        return Set(map { [UInt8]($0.utf8) }).isSuperset(of: texts.map { [UInt8]($0.utf8) })
    }
}
