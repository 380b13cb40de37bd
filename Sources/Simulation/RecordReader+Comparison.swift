import EnrollmentCore

extension RecordReader {
    /// Reads one value from each text: whether they are the same. Members may come in any order.
    ///
    /// - Throws: when there is no value to read, when a name has escapes, and for a member that is there
    ///   twice.
    mutating func isSame(as other: inout RecordReader) throws(RecordError) -> Bool {
        skipWhiteSpace()
        other.skipWhiteSpace()
        let isOfOneKind = next == other.next
        switch next {
        case UInt8(ascii: "{"): return isOfOneKind ? try hasSameMembers(as: &other) : false
        case UInt8(ascii: "["): return isOfOneKind ? try hasSameElements(as: &other) : false
        case UInt8(ascii: "\""): return isOfOneKind ? try isSameString(as: &other) : false
        default: return try document() == other.document()
        }
    }

    private mutating func hasSameElements(as other: inout RecordReader) throws(RecordError) -> Bool {
        let (any, otherAny) = (
            try opens("[", "]", "an array"), try other.opens("[", "]", "an array")
        )
        guard any, otherAny else { return any == otherAny }
        while true {
            guard try isSame(as: &other) else { return false }
            let (more, otherMore) = (try goesOn("]"), try other.goesOn("]"))
            guard more, otherMore else { return more == otherMore }
        }
    }

    private mutating func hasSameMembers(as other: inout RecordReader) throws(RecordError) -> Bool {
        let (members, others) = (try memberPlaces(), try other.memberPlaces())
        guard members.count == others.count else { return false }
        for (name, value) in members {
            let name = bytes.span.extracting(name)
            let match = others.first { other.bytes.span.has(name, exactlyAt: $0.name) }
            guard let match else { return false }
            var (ours, theirs) = (RecordReader(bytes, value), RecordReader(other.bytes, match.value))
            guard try ours.isSame(as: &theirs) else { return false }
        }
        return true
    }

    /// Where the names and values of an object are. What is nested too deep is refused here, and not looked
    /// into.
    private mutating func memberPlaces() throws(RecordError) -> [(name: Range<Int>, value: Range<Int>)] {
        guard try opens("{", "}", "an object") else { return [] }
        var places: [(name: Range<Int>, value: Range<Int>)] = []
        places.reserveCapacity(8)
        repeat {
            let name = try plainMemberName()
            skipWhiteSpace()
            let start = index
            try skip()
            let isRepeated = places.contains {
                bytes.span.has(bytes.span.extracting(name), exactlyAt: $0.name)
            }
            guard !isRepeated else { throw error("a member is given twice") }
            places.append((name, start..<index))
        } while try goesOn("}")
        return places
    }

    private mutating func isSameString(as other: inout RecordReader) throws(RecordError) -> Bool {
        let (ours, theirs) = (try stringRange(), try other.stringRange())
        guard ours.hasEscapes || theirs.hasEscapes else {
            return other.bytes.span.has(bytes.span.extracting(ours.range), exactlyAt: theirs.range)
        }
        return try unescaped(ours.range) == other.unescaped(theirs.range)
    }
}
