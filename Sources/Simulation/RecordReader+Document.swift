import EnrollmentCore

extension RecordReader {
    /// Any value, whole.
    mutating func document() throws(RecordError) -> JSONValue {
        skipWhiteSpace()
        switch next {
        case UInt8(ascii: "{"): return .object(try members())
        case UInt8(ascii: "["):
            return .array(try array { reader throws(RecordError) in try reader.document() })
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool(try bool())
        case UInt8(ascii: "n"):
            try literal("null")
            return .null
        default: return .integer(try integer())
        }
    }

    private mutating func members() throws(RecordError) -> [String: JSONValue] {
        guard try opens("{", "}", "an object") else { return [:] }
        var members: [String: JSONValue] = [:]
        repeat {
            let name = try string()
            try colon()
            guard members.updateValue(try document(), forKey: name) == nil else {
                throw error("a member is given twice")
            }
        } while try goesOn("}")
        return members
    }
}
