/// The rules for characters that all parts of a note share (C2SP signed-note, "Format").
enum NoteText {
    static let newline = UInt8(ascii: "\n")

    /// Whether `octets`, which are UTF-8, hold no control character but newlines.
    static func isPlain(_ octets: some Sequence<UInt8>) -> Bool {
        octets.allSatisfy { $0 >= 0x20 || $0 == newline }
    }

    /// Whether a key may have this name: not empty, no Unicode space, no plus, no control character.
    static func isKeyName(_ name: String) -> Bool {
        !name.isEmpty
            && name.unicodeScalars.allSatisfy {
                !$0.properties.isWhitespace && $0 != "+" && $0.value >= 0x20
            }
    }

    /// The lines of a text that ends in a newline; nil if it does not. Splits octets: to a Swift character a
    /// newline may belong to what stands before it.
    static func lines(_ octets: some BidirectionalCollection<UInt8>) -> [String]? {
        guard octets.last == newline else { return nil }
        return octets.dropLast().split(separator: newline, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// Compares octets; `==` takes differently encoded characters for the same.
    static func same(_ first: String, _ second: String) -> Bool { first.utf8.elementsEqual(second.utf8) }
}
