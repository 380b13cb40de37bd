/// One fact of a request, or several that are compared with each other, with finitely many kinds of values
/// that no rule tells apart further.
struct Dimension: Sendable {
    /// What the fact is, e.g. `device.group corp-laptops`.
    let name: String
    /// At least one; the first is what a request has when nothing else is asked of it.
    let cells: [Cell]
}

/// One kind of value of a dimension.
struct Cell: Sendable {
    /// E.g. `absent`, `at least 5`.
    let label: String
    /// Gives a request a value of this kind.
    let apply: @Sendable (inout RequestSketch) -> Void
}

extension [Cell] {
    /// The first of the cells that `signature` does not tell apart.
    func distinct<Signature: Hashable>(by signature: (Cell) -> Signature) -> [Cell] {
        var seen: Set<Signature> = []
        return filter { seen.insert(signature($0)).inserted }
    }
}
