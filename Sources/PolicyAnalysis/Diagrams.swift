/// A function from requests to small whole numbers, as a place in `Diagrams`. Equal functions are equal
/// diagrams, whatever they were built from.
struct Diagram: Hashable, Sendable {
    fileprivate let place: Int32

    fileprivate init(place: Int32) { self.place = place }

    /// The function that gives `value` for every request.
    ///
    /// - Parameter value: at least zero.
    init(_ value: Int) { place = ~Int32(clamping: value) }

    static let none = Diagram(0)
    static let all = Diagram(1)

    /// What it gives for every request; nil when that depends on the request.
    var value: Int? { place < 0 ? Int(~place) : nil }
}

/// Keeps functions over finitely many dimensions as ordered decision diagrams: each node asks for the cell of
/// one dimension, no two nodes are alike, and none has only one outcome (Bryant 1986, with as many branches
/// as the dimension has cells).
final class Diagrams {
    /// What two numbers make.
    enum Operation: UInt8, Hashable {
        case minimum, maximum
        /// The first where the second is not zero, and zero elsewhere.
        case masked
        /// A number of its own for each pair; see `parts`.
        case pair
    }

    private struct Key: Hashable {
        let level: Int32
        let children: [Diagram]
    }

    private struct Step: Hashable {
        let operation: Operation
        let left: Diagram
        let right: Diagram
    }

    private struct Pair: Hashable {
        let left: Int
        let right: Int
    }

    /// How many cells each dimension has, in the order in which nodes ask for them.
    private let widths: [Int]
    /// Nodes beyond which work stops; steps are remembered up to eight times as many.
    var nodeLimit: Int
    private var levels: [Int32] = []
    private var branches: [[Diagram]] = []
    private var places: [Key: Diagram] = [:]
    private var steps: [Step: Diagram] = [:]
    private var meetings: [Step: Bool] = [:]
    private var pairPlaces: [Pair: Int] = [:]
    private var pairs: [Pair] = []

    /// - Parameters:
    ///   - widths: cells by dimension.
    ///   - nodeLimit: nodes beyond which work stops.
    init(widths: [Int], nodeLimit: Int) {
        self.widths = widths
        self.nodeLimit = nodeLimit
    }

    /// The function that gives `children[cell]` for requests in that cell of the dimension.
    ///
    /// - Parameter children: as many as the dimension has cells, none asking for it or an earlier dimension.
    func node(_ dimension: Int, _ children: [Diagram]) throws(AnalysisLimit) -> Diagram {
        guard let first = children.first else { return .none }
        if children.allSatisfy({ $0 == first }) { return first }
        let key = Key(level: Int32(clamping: dimension), children: children)
        if let known = places[key] { return known }
        guard levels.count < nodeLimit else { throw .nodes(nodeLimit) }
        let diagram = Diagram(place: Int32(clamping: levels.count))
        levels.append(key.level)
        branches.append(children)
        places[key] = diagram
        return diagram
    }

    /// The function that tells in which cell of the dimension a request is.
    func identity(_ dimension: Int) throws(AnalysisLimit) -> Diagram {
        try node(dimension, (0..<widths[dimension]).map { Diagram($0) })
    }

    func apply(_ operation: Operation, _ left: Diagram, _ right: Diagram) throws(AnalysisLimit) -> Diagram {
        if let known = shortcut(operation, left, right) { return known }
        let step = Step(operation: operation, left: left, right: right)
        if let known = steps[step] { return known }
        guard steps.count < nodeLimit &* 8 else { throw .nodes(nodeLimit) }
        let level = min(self.level(left), self.level(right))
        var children: [Diagram] = []
        children.reserveCapacity(widths[level])
        for cell in 0..<widths[level] {
            children.append(
                try apply(operation, branch(left, level, cell), branch(right, level, cell)))
        }
        let result = try node(level, children)
        steps[step] = result
        return result
    }

    private func shortcut(_ operation: Operation, _ left: Diagram, _ right: Diagram) -> Diagram? {
        switch operation {
        case .minimum:
            if left == right || left == .none { return left }
            if right == .none { return right }
        case .maximum:
            if left == right || right == .none { return left }
            if left == .none { return right }
        case .masked:
            if left == .none || right == .none { return Diagram.none }
            if right.value != nil { return left }
        case .pair: break
        }
        guard let first = left.value, let second = right.value else { return nil }
        switch operation {
        case .minimum: return Diagram(min(first, second))
        case .maximum: return Diagram(max(first, second))
        case .masked: return second == 0 ? Diagram.none : left
        case .pair: return Diagram(number(of: Pair(left: first, right: second)))
        }
    }

    private func number(of pair: Pair) -> Int {
        if let known = pairPlaces[pair] { return known }
        pairPlaces[pair] = pairs.count
        pairs.append(pair)
        return pairs.count - 1
    }

    /// The two numbers that `pair` made a number of.
    func parts(of number: Int) -> (left: Int, right: Int) {
        let pair = pairs[number]
        return (pair.left, pair.right)
    }

    /// The function with each of its numbers replaced.
    func map(_ diagram: Diagram, _ transform: (Int) -> Int) throws(AnalysisLimit) -> Diagram {
        var known: [Diagram: Diagram] = [:]
        return try map(diagram, transform, &known)
    }

    private func map(
        _ diagram: Diagram, _ transform: (Int) -> Int, _ known: inout [Diagram: Diagram]
    ) throws(AnalysisLimit) -> Diagram {
        if let value = diagram.value { return Diagram(transform(value)) }
        if let done = known[diagram] { return done }
        let place = Int(diagram.place)
        var children: [Diagram] = []
        for child in branches[place] { children.append(try map(child, transform, &known)) }
        let result = try node(Int(levels[place]), children)
        known[diagram] = result
        return result
    }

    /// For each number that the function gives, one request: cells by dimension, those that do not matter
    /// left out. In a fixed order; earlier cells are preferred.
    func examples(of diagram: Diagram) -> [(value: Int, cells: [Int: Int])] {
        var seen: Set<Diagram> = []
        var found: [(value: Int, cells: [Int: Int])] = []
        var path: [Int: Int] = [:]
        visit(diagram, &path, &seen, &found)
        return found
    }

    private func visit(
        _ diagram: Diagram, _ path: inout [Int: Int], _ seen: inout Set<Diagram>,
        _ found: inout [(value: Int, cells: [Int: Int])]
    ) {
        guard seen.insert(diagram).inserted else { return }
        if let value = diagram.value { return found.append((value, path)) }
        let place = Int(diagram.place)
        let level = Int(levels[place])
        for (cell, child) in branches[place].enumerated() {
            path[level] = cell
            visit(child, &path, &seen, &found)
        }
        path[level] = nil
    }

    /// Whether some request is in both sets, or, with `isOutside`, in the left and not in the right one.
    /// Makes no diagram, so that many pairs can be asked about.
    func meet(_ left: Diagram, _ right: Diagram, isOutside: Bool = false) -> Bool {
        if left == .none { return false }
        if let value = right.value {
            if (value == 0) != isOutside { return false }
            return true
        }
        if left == right { return !isOutside }
        // The operation only keeps the two questions apart.
        let step = Step(operation: isOutside ? .masked : .minimum, left: left, right: right)
        if let known = meetings[step] { return known }
        let level = min(self.level(left), self.level(right))
        let found = (0..<widths[level]).contains { cell in
            meet(branch(left, level, cell), branch(right, level, cell), isOutside: isOutside)
        }
        meetings[step] = found
        return found
    }

    /// Cells of a request for which the function does not give zero; nil when there is none.
    func example(of diagram: Diagram) -> [Int: Int]? {
        var path: [Int: Int] = [:]
        var rest = diagram
        while rest.value == nil {
            let place = Int(rest.place)
            // Some branch is not zero throughout, or the node would not be.
            guard let cell = branches[place].firstIndex(where: { $0 != .none }) else { return nil }
            path[Int(levels[place])] = cell
            rest = branches[place][cell]
        }
        return rest == .none ? nil : path
    }

    /// What the function gives for one request; dimensions left out count as in their first cell.
    func value(of diagram: Diagram, at cells: [Int: Int]) -> Int {
        var rest = diagram
        while rest.value == nil {
            let place = Int(rest.place)
            rest = branches[place][cells[Int(levels[place])] ?? 0]
        }
        return rest.value ?? 0
    }

    private func level(_ diagram: Diagram) -> Int {
        diagram.value == nil ? Int(levels[Int(diagram.place)]) : Int.max
    }

    private func branch(_ diagram: Diagram, _ level: Int, _ cell: Int) -> Diagram {
        self.level(diagram) == level ? branches[Int(diagram.place)][cell] : diagram
    }
}

// Functions that give zero or one are sets of requests.
extension Diagrams {
    func both(_ left: Diagram, _ right: Diagram) throws(AnalysisLimit) -> Diagram {
        try apply(.minimum, left, right)
    }

    func either(_ left: Diagram, _ right: Diagram) throws(AnalysisLimit) -> Diagram {
        try apply(.maximum, left, right)
    }

    func not(_ set: Diagram) throws(AnalysisLimit) -> Diagram { try map(set) { $0 == 0 ? 1 : 0 } }

    /// What is in `left` and not in `right`.
    func less(_ left: Diagram, _ right: Diagram) throws(AnalysisLimit) -> Diagram {
        try both(left, not(right))
    }

    /// `yes` in the set, `no` outside it.
    func choose(_ set: Diagram, _ yes: Diagram, _ no: Diagram) throws(AnalysisLimit) -> Diagram {
        if let value = set.value { return value == 0 ? no : yes }
        return try apply(.maximum, apply(.masked, yes, set), apply(.masked, no, not(set)))
    }
}
