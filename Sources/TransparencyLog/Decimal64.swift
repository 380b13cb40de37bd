/// Sizes, indices and times as the formats of the log write them.
enum Decimal64 {
    /// ASCII digits without sign and leading zeros, up to 2^63 - 1; nil for anything else.
    static func parse(_ text: some StringProtocol) -> Int64? {
        let digits = text.utf8
        guard (1...19).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            digits.first != 0x30 || digits.count == 1
        else { return nil }
        return Int64(text)
    }
}
