import SwiftASN1

/// Time in certificates (RFC 5280 §4.1.2.5): UTCTime through 2049, GeneralizedTime from 2050, always in whole
/// seconds and with `Z`. Instants are seconds since 1970-01-01T00:00:00Z.
enum CertificateTime {
    /// 9999-12-31T23:59:59Z, the end of what the encoding can say.
    static let latest: Int64 = 253_402_300_799
    private static let start2050: Int64 = 2_524_608_000
    private static let start1950: Int64 = -631_152_000

    /// One element. What the encoding cannot express is moved to its nearest end.
    static func element(_ seconds: Int64) -> [UInt8] {
        let bounded = min(max(seconds, start1950), latest)
        let day = bounded >= 0 ? bounded / 86_400 : -((86_399 - bounded) / 86_400)
        let time = bounded - day * 86_400
        let date = civil(day)
        let tail = [date.month, date.day, time / 3_600, time / 60 % 60, time % 60].flatMap { digits($0, 2) }
        if bounded < start2050 {
            return DERWriter.element(0x17, digits(date.year % 100, 2) + tail + [UInt8(ascii: "Z")])
        }
        return DERWriter.element(0x18, digits(date.year, 4) + tail + [UInt8(ascii: "Z")])
    }

    static func seconds(_ node: ASN1Node, _ place: String) throws(PKIXError) -> Int64 {
        if node.identifier == .utcTime {
            let text = Array(try DERReader.primitive(node, .utcTime, place))
            guard text.count == 13, let short = number(text, 0, 2),
                let seconds = seconds(year: short < 50 ? 2000 + short : 1900 + short, text, 2)
            else { throw .malformed(place) }
            return seconds
        }
        let text = Array(try DERReader.primitive(node, .generalizedTime, place))
        guard text.count == 15, let year = number(text, 0, 4), let seconds = seconds(year: year, text, 4)
        else {
            throw .malformed(place)
        }
        return seconds
    }

    private static func seconds(year: Int64, _ text: [UInt8], _ at: Int) -> Int64? {
        guard text.last == UInt8(ascii: "Z"), let month = number(text, at, 2),
            let day = number(text, at + 2, 2),
            let hour = number(text, at + 4, 2), let minute = number(text, at + 6, 2),
            let second = number(text, at + 8, 2), (1...12).contains(month), (1...31).contains(day),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let days = dayNumber(year, month, day)
        let back = civil(days)
        guard back.month == month, back.day == day else { return nil }  // 30 February and the like
        return days * 86_400 + hour * 3_600 + minute * 60 + second
    }

    private static func number(_ text: [UInt8], _ at: Int, _ count: Int) -> Int64? {
        guard at >= 0, at + count <= text.count else { return nil }
        var value: Int64 = 0
        for character in text[at..<at + count] {
            guard (0x30...0x39).contains(character) else { return nil }
            // SAFETY: at most four digits.
            value = value * 10 + Int64(character - 0x30)
        }
        return value
    }

    private static func digits(_ value: Int64, _ width: Int) -> [UInt8] {
        var rest = value
        var characters: [UInt8] = []
        for _ in 0..<width {
            characters.insert(0x30 + UInt8(rest % 10), at: 0)
            rest /= 10
        }
        return characters
    }

    /// Days since the epoch of a date from year 0 on, by counting from 1 March of year 0.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let era = marchYear >= 0 ? marchYear / 400 : -1
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted >= 0 ? shifted / 146_097 : -1
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * fromMarch + 2) / 5 + 1
        )
    }
}
