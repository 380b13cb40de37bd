package import EnrollmentCore
import Foundation

/// Reads device lists: one JSON object a line, or comma-separated text with the same columns. Strict, because
/// an attribute that is silently dropped could open the gate: unknown members, wrong types and bad times are
/// errors.
package enum DeviceImport {
    /// How a list is written.
    package enum Format: String, Sendable, CaseIterable { case jsonl, csv }

    private typealias Problem = DeviceField.Problem

    /// One line that cannot be taken.
    package struct LineError: Error, Sendable, Hashable, CustomStringConvertible {
        /// Counts from 1.
        package let line: Int
        package let problem: String
        package var description: String { "line \(line): \(problem)" }
    }

    /// The most octets one line may have.
    package static let maximumLineLength = 65_536

    /// The devices of a list; blank lines are skipped.
    ///
    /// - Throws: the first line that cannot be taken; an id given twice is one.
    package static func parse(_ text: [UInt8], as format: Format = .jsonl) throws(LineError) -> [DeviceFacts]
    {
        let entries = try format == .csv ? DeviceTable.parse(text) : lines(text)
        var seen: Set<DeviceID> = []
        for (line, device) in entries where !seen.insert(device.id).inserted {
            throw LineError(line: line, problem: "\(device.id) is given twice")
        }
        return entries.map(\.device)
    }

    private static func lines(_ text: [UInt8]) throws(LineError) -> [(line: Int, device: DeviceFacts)] {
        var devices: [(line: Int, device: DeviceFacts)] = []
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if content.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            do throws(Problem) { devices.append((index + 1, try device(Array(content)))) } catch {
                throw LineError(line: index + 1, problem: error.text)
            }
        }
        return devices
    }

    private static func device(_ line: [UInt8]) throws(Problem) -> DeviceFacts {
        guard line.count <= maximumLineLength else {
            throw Problem("longer than \(maximumLineLength) octets")
        }
        var members = try object(decoded(line), "a device")
        let facts = DeviceFacts(
            id: try DeviceField.id(try string(&members, "id")), serial: try string(&members, "serial"),
            udid: try string(&members, "udid"), groups: try strings(&members, "groups"),
            dns: try strings(&members, "dns").map { name throws(Problem) in try DeviceField.dnsName(name) },
            email: try strings(&members, "email"), upn: try strings(&members, "upn"),
            sid: try string(&members, "sid"), owner: try string(&members, "owner"),
            posture: try posture(members.removeValue(forKey: "posture")))
        try refuseRest(members)
        return facts
    }

    private static func decoded(_ line: [UInt8]) throws(Problem) -> JSONValue {
        do { return try JSONDecoder().decode(JSONValue.self, from: Data(line)) } catch {
            throw Problem("not a JSON object")
        }
    }

    private static func posture(_ value: JSONValue?) throws(Problem) -> [PostureFact] {
        guard let value, value != .null else { return [] }
        guard case .array(let elements) = value else { throw Problem("posture must be a list") }
        var facts: [PostureFact] = []
        for element in elements {
            var members = try object(element, "a posture fact")
            guard let source = try string(&members, "source") else {
                throw Problem("posture needs a source")
            }
            let status = try DeviceField.status(try string(&members, "status"), "posture status")
            let fact = PostureFact(
                source: source, status: status, jailbroken: try bool(&members, "jailbroken"),
                observedAt: try instant(&members, "observed_at"))
            try refuseRest(members)
            guard !facts.contains(where: { $0.source == source }) else {
                throw Problem("\(source) is given twice")
            }
            facts.append(fact)
        }
        return facts
    }

    private static func object(_ value: JSONValue, _ what: String) throws(Problem) -> [String: JSONValue] {
        guard case .object(let members) = value else { throw Problem("\(what) must be an object") }
        return members
    }

    private static func refuseRest(_ members: [String: JSONValue]) throws(Problem) {
        if let name = members.keys.min() { throw Problem("unknown member \"\(name.prefix(80))\"") }
    }

    private static func string(_ members: inout [String: JSONValue], _ name: String) throws(Problem)
        -> String?
    {
        switch members.removeValue(forKey: name) {
        case nil, .null: return nil
        case .string(let text): return try DeviceField.text(text, name)
        case .bool, .integer, .array, .object: throw Problem("\(name) must be a string")
        }
    }

    private static func strings(_ members: inout [String: JSONValue], _ name: String) throws(Problem)
        -> [String]
    {
        guard let value = members.removeValue(forKey: name), value != .null else { return [] }
        guard case .array(let elements) = value else { throw Problem("\(name) must be a list of strings") }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else { throw Problem("\(name) must be a list of strings") }
            texts.append(try DeviceField.text(text, name))
        }
        return texts
    }

    private static func bool(_ members: inout [String: JSONValue], _ name: String) throws(Problem) -> Bool? {
        switch members.removeValue(forKey: name) {
        case nil, .null: return nil
        case .bool(let value): return value
        case .string, .integer, .array, .object: throw Problem("\(name) must be true or false")
        }
    }

    private static func instant(_ members: inout [String: JSONValue], _ name: String) throws(Problem)
        -> Timestamp?
    {
        try string(&members, name).map { text throws(Problem) in try DeviceField.instant(text, name) }
    }
}
