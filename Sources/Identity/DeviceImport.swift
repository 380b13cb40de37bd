package import EnrollmentCore
import Foundation

/// Reads device lists: one JSON object a line. Strict, because an attribute that is silently dropped could
/// open the gate: unknown members, wrong types and bad times are errors.
package enum DeviceImport {
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
    package static func parse(_ text: [UInt8]) throws(LineError) -> [DeviceFacts] {
        var devices: [DeviceFacts] = []
        var seen: Set<DeviceID> = []
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            if content.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            do throws(Problem) {
                let device = try device(Array(content))
                guard seen.insert(device.id).inserted else { throw Problem("\(device.id) is given twice") }
                devices.append(device)
            } catch { throw LineError(line: index + 1, problem: error.text) }
        }
        return devices
    }

    private struct Problem: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    private static func device(_ line: [UInt8]) throws(Problem) -> DeviceFacts {
        guard line.count <= maximumLineLength else {
            throw Problem("longer than \(maximumLineLength) octets")
        }
        var members = try object(decoded(line), "a device")
        guard let id = DeviceID(try string(&members, "id") ?? "") else {
            throw Problem("id must be 1 to 64 of A-Z a-z 0-9 . _ -")
        }
        let facts = DeviceFacts(
            id: id, serial: try string(&members, "serial"), udid: try string(&members, "udid"),
            groups: try strings(&members, "groups"), dns: try strings(&members, "dns").map(dnsName),
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
            guard let source = try string(&members, "source") else { throw Problem("posture needs a source") }
            guard let text = try string(&members, "status"), let status = PostureStatus(rawValue: text) else {
                throw Problem("posture status must be compliant, noncompliant, unknown or unavailable")
            }
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

    /// Lower case, without a trailing dot; letters, digits, hyphens and dots, and one leading `*.` at most.
    private static func dnsName(_ text: String) throws(Problem) -> String {
        let name = text.lowercased()
        let labels = (name.hasPrefix("*.") ? String(name.dropFirst(2)) : name)
            .split(separator: ".", omittingEmptySubsequences: false)
        let isName = labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { byte in
                    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d
                        || byte == 0x5f
                }
        }
        guard isName, name.utf8.count <= 253 else {
            throw Problem("dns holds a name that is none: \(text.prefix(80))")
        }
        return name
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
        case .string(let text): return try checked(text, name)
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
            texts.append(try checked(text, name))
        }
        return texts
    }

    private static func checked(_ text: String, _ name: String) throws(Problem) -> String {
        let isPrintable = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
        guard isPrintable, (1...500).contains(text.utf8.count) else {
            throw Problem("\(name) must have 1 to 500 octets and no control characters")
        }
        return text
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
        guard let text = try string(&members, name) else { return nil }
        guard let instant = Timestamp(rfc3339: text) else {
            throw Problem("\(name) must be an RFC 3339 time")
        }
        return instant
    }
}
