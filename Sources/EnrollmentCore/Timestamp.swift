/// An instant on the UTC time line, in whole microseconds since 1970-01-01T00:00:00Z.
///
/// Arithmetic saturates instead of trapping: hostile dates must not end the process.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since the Unix epoch; negative before it.
    package let microseconds: Int64

    /// - Parameter microseconds: microseconds since the Unix epoch.
    package init(microseconds: Int64) { self.microseconds = microseconds }

    /// - Parameter seconds: whole seconds since the Unix epoch; saturates.
    package init(seconds: Int64) {
        let product = seconds.multipliedReportingOverflow(by: 1_000_000)
        microseconds = product.overflow ? (seconds < 0 ? .min : .max) : product.partialValue
    }

    /// Whole seconds since the Unix epoch, rounded towards the past.
    package var seconds: Int64 {
        microseconds >= 0 ? microseconds / 1_000_000 : -((-(microseconds &+ 1)) / 1_000_000) &- 1
    }

    /// The same instant without its fraction of a second, as X.509 times have none.
    package var wholeSeconds: Timestamp { Timestamp(seconds: seconds) }

    /// The instant `span` seconds later (earlier when negative); saturates.
    package func adding(seconds span: Int64) -> Timestamp {
        let delta = Timestamp(seconds: span).microseconds
        let sum = microseconds.addingReportingOverflow(delta)
        return Timestamp(microseconds: sum.overflow ? (delta < 0 ? .min : .max) : sum.partialValue)
    }

    /// Whole seconds from `earlier` to this instant; negative when `earlier` is later; saturates.
    package func seconds(since earlier: Timestamp) -> Int64 {
        let difference = microseconds.subtractingReportingOverflow(earlier.microseconds)
        if difference.overflow { return microseconds < earlier.microseconds ? .min : .max }
        return Timestamp(microseconds: difference.partialValue).seconds
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }
}

extension Timestamp {
    /// RFC 3339 in UTC with microseconds, e.g. `2026-11-22T10:00:00.000000Z`.
    package var description: String {
        var text = CivilTime(secondsSinceEpoch: seconds).dateAndTime
        text.append(UInt8(ascii: "."))
        text.append(microseconds &- seconds &* 1_000_000, width: 6)
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// RFC 3339 in UTC in whole seconds, e.g. `2026-11-22T10:00:00Z`.
    package var rfc3339: String {
        var text = CivilTime(secondsSinceEpoch: seconds).dateAndTime
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Parses RFC 3339 (`2026-11-22T10:00:00[.fraction](Z|±hh:mm)`); nil for anything else.
    ///
    /// Years 1970 to 9999; a leap second is refused; digits beyond microseconds are dropped.
    package init?(rfc3339 text: String) { self.init(rfc3339: Array(text.utf8)) }

    /// Parses the octets of such a text.
    package init?(rfc3339 text: [UInt8]) {
        guard let parsed = RFC3339Parser.microseconds(text) else { return nil }
        microseconds = parsed
    }
}

extension Timestamp: StringCoded {
    /// Parses RFC 3339, as `init(rfc3339:)`.
    package init?(_ text: String) { self.init(rfc3339: text) }
}
