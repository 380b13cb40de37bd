package import EnrollmentCore
package import Logging

#if canImport(Glibc)
import Glibc
#endif

/// Writes each log event as one line of JSON: `time`, `level`, `message`, `logger`, and the metadata's keys.
package struct JSONLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level
    private let label: String
    private let clock: any WallClock
    private let write: @Sendable (String) -> Void

    /// - Parameters:
    ///   - label: the logger's name.
    ///   - write: takes one line, its line feed included.
    package init(
        label: String, level: Logger.Level, clock: any WallClock,
        write: @escaping @Sendable (String) -> Void = JSONLogHandler.standardError
    ) {
        self.label = label
        logLevel = level
        self.clock = clock
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var members: [String: JSONValue] = [:]
        for (key, value) in metadata { members[key] = json(value) }
        for (key, value) in metadataProvider?.get() ?? [:] { members[key] = json(value) }
        for (key, value) in event.metadata ?? [:] { members[key] = json(value) }
        if let error = event.error { members["error"] = .string("\(error)") }
        members["time"] = .string(clock.now().description)
        members["level"] = .string(event.level.rawValue)
        members["logger"] = .string(label)
        members["message"] = .string(event.message.description)
        write(JSONValue.object(members).canonicalText + "\n")
    }

    /// Writes to file descriptor 2; what cannot be written is lost.
    package static let standardError: @Sendable (String) -> Void = { line in
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return
            }
            rest = rest.dropFirst(count)
        }
    }

    private func json(_ value: Logger.MetadataValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text)
        case .stringConvertible(let value): .string(value.description)
        case .array(let values): .array(values.map(json))
        case .dictionary(let values): .object(values.mapValues(json))
        }
    }
}
