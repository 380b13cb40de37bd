/// A UTC calendar date and time of day in the proleptic Gregorian calendar.
///
/// Pure integer arithmetic (days counted in 400-year eras), so it needs no time zone data and no clock.
package struct CivilTime: Sendable, Equatable {
    package let year: Int64
    /// 1 to 12.
    package let month: Int64
    /// 1 to 31.
    package let day: Int64
    /// 0 to 23.
    package let hour: Int64
    /// 0 to 59.
    package let minute: Int64
    /// 0 to 59.
    package let second: Int64

    /// - Parameter secondsSinceEpoch: seconds since 1970-01-01T00:00:00Z.
    package init(secondsSinceEpoch: Int64) {
        let day = Self.floorDivide(secondsSinceEpoch, 86_400)
        let time = secondsSinceEpoch &- day &* 86_400
        let shifted = day &+ 719_468  // days since 0000-03-01
        let era = Self.floorDivide(shifted, 146_097)
        let dayOfEra = shifted &- era &* 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
        hour = time / 3_600
        minute = time / 60 % 60
        second = time % 60
    }

    /// Seconds since the Unix epoch of a date and time, or nil when a field is out of its range.
    ///
    /// - Parameters: calendar fields, year 0 to 9999; a 60th second is refused.
    package static func secondsSinceEpoch(
        year: Int64, month: Int64, day: Int64, hour: Int64, minute: Int64, second: Int64
    ) -> Int64? {
        guard (0...9_999).contains(year), (1...12).contains(month), day >= 1,
            day <= lengthOfMonth(month, year: year), (0...23).contains(hour), (0...59).contains(minute),
            (0...59).contains(second)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = floorDivide(shiftedYear, 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era * 146_097 + dayOfEra - 719_468) * 86_400 + hour * 3_600 + minute * 60 + second
    }

    /// ASCII, as in RFC 3339 §5.6, without fraction and zone; with room for those.
    var dateAndTime: [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(32)
        text.append(year, width: 4)
        text.append(UInt8(ascii: "-"))
        text.append(month, width: 2)
        text.append(UInt8(ascii: "-"))
        text.append(day, width: 2)
        text.append(UInt8(ascii: "T"))
        text.append(hour, width: 2)
        text.append(UInt8(ascii: ":"))
        text.append(minute, width: 2)
        text.append(UInt8(ascii: ":"))
        text.append(second, width: 2)
        return text
    }

    private static func lengthOfMonth(_ month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: return 30
        default: return 31
        }
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}

extension [UInt8] {
    /// Appends a number in decimal with leading zeros up to `width` digits.
    mutating func append(_ value: Int64, width: Int) {
        var rest = value.magnitude
        var digits: InlineArray<20, UInt8> = .init(repeating: 0x30)
        var first = digits.count
        while rest > 0 {
            first -= 1
            digits[first] = 0x30 + UInt8(rest % 10)
            rest /= 10
        }
        if value < 0 { append(UInt8(ascii: "-")) }
        for place in Swift.min(first, digits.count - width)..<digits.count { append(digits[place]) }
    }
}

/// RFC 3339 §5.6 `date-time`, upper case `T` and `Z`.
enum RFC3339Parser {
    static func microseconds(_ text: [UInt8]) -> Int64? {
        guard text.count >= 20, text.count <= 40 else { return nil }
        func number(_ from: Int, _ count: Int) -> Int64? {
            guard from + count <= text.count else { return nil }
            var value: Int64 = 0
            for byte in text[from..<from + count] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] == UInt8(ascii: "T"),
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
            let year = number(0, 4), year >= 1970, let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
            let seconds = CivilTime.secondsSinceEpoch(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if text[index] == UInt8(ascii: ".") {
            var scale: Int64 = 100_000
            let first = index + 1
            index = first
            while index < text.count, (0x30...0x39).contains(text[index]) {
                fraction += Int64(text[index] - 0x30) * scale
                scale /= 10
                index += 1
            }
            guard index > first else { return nil }
        }
        guard index < text.count, let offset = zoneOffset(text, index, number) else { return nil }
        return (seconds - offset) * 1_000_000 + fraction
    }

    private static func zoneOffset(_ text: [UInt8], _ index: Int, _ number: (Int, Int) -> Int64?) -> Int64? {
        if text[index] == UInt8(ascii: "Z") { return index + 1 == text.count ? 0 : nil }
        guard text.count == index + 6, text[index + 3] == UInt8(ascii: ":"),
            let hours = number(index + 1, 2), let minutes = number(index + 4, 2), hours < 24, minutes < 60
        else { return nil }
        switch text[index] {
        case UInt8(ascii: "+"): return hours * 3_600 + minutes * 60
        case UInt8(ascii: "-"): return -(hours * 3_600 + minutes * 60)
        default: return nil
        }
    }
}
