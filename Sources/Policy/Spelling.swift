/// "did you mean `x`", or the list of what is known.
func spellingRemedy(_ word: String, among known: some Collection<String>) -> String {
    if let near = nearestSpelling(of: word, among: known) { return "did you mean `\(near)`?" }
    if known.isEmpty { return "none is declared" }
    return known.count <= 40
        ? "known: " + known.sorted().joined(separator: ", ") : "none of the \(known.count) known"
}

/// The candidate that was probably meant, for "did you mean".
///
/// At most two edits away (one for words of three letters); the first in order when several are as near.
/// Bounded: words of at most 64 octets, the first 1 000 candidates of about the same length.
func nearestSpelling(of word: String, among candidates: some Sequence<String>) -> String? {
    let octets = Array(word.utf8)
    guard octets.count <= 64 else { return nil }
    let limit = word.count <= 3 ? 1 : 2
    let near = candidates.lazy.filter { abs($0.utf8.count - octets.count) <= limit }.prefix(1_000)
    var best: (distance: Int, candidate: String)?
    for candidate in near.sorted() {
        let distance = editDistance(octets, Array(candidate.utf8), limit: limit)
        if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
    }
    return best?.candidate
}

/// The edits (letters inserted, dropped, replaced, or swapped with their neighbour) from one word to the
/// other; anything above `limit` when there are more.
private func editDistance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int {
    let far = limit + 1
    var before = [Int](repeating: far, count: right.count + 1)
    var previous = right.indices.map { min($0, far) } + [min(right.count, far)]
    for row in left.indices {
        var current = [Int](repeating: far, count: right.count + 1)
        current[0] = min(row + 1, far)
        // Further from the diagonal than the limit, every distance is beyond it.
        for column in right.indices where abs(column - row) <= limit {
            let substitution = previous[column] + (left[row] == right[column] ? 0 : 1)
            var distance = min(substitution, previous[column + 1] + 1, current[column] + 1)
            if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                distance = min(distance, before[column - 1] + 1)
            }
            current[column + 1] = min(distance, far)
        }
        (before, previous) = (previous, current)
    }
    return previous[right.count]
}
