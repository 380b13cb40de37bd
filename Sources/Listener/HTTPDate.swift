import EnrollmentCore

/// The date format of HTTP (RFC 9110 §5.6.7), e.g. `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    static func text(_ time: Timestamp) -> String {
        let civil = CivilTime(secondsSinceEpoch: time.seconds)
        let days = (time.seconds - civil.hour * 3_600 - civil.minute * 60 - civil.second) / 86_400
        let weekday = weekdays[Int((days % 7 + 7) % 7)]
        let month = months[Int(civil.month) - 1]
        return "\(weekday), \(two(civil.day)) \(month) \(civil.year) "
            + "\(two(civil.hour)):\(two(civil.minute)):\(two(civil.second)) GMT"
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : String(value) }
}
