import EnrollmentCore

/// The identifiers of a new order (RFC 8555 §7.4, §9.7.7): DNS names, comparable.
enum OrderIdentifiers {
    static let maximumCount = 100

    /// The names: lower-case, without duplicates, in the order given.
    ///
    /// - Throws: a problem with one subproblem for each identifier that cannot be had.
    static func read(_ member: JSONValue?) throws(ACMEProblem) -> [String] {
        guard let elements = member?.array, !elements.isEmpty else {
            throw .refused(.malformed, "identifiers", "an order needs a list of identifiers")
        }
        guard elements.count <= maximumCount else {
            throw .refused(.rejectedIdentifier, "identifiers", "an order may have at most 100 identifiers")
        }
        var names: [String] = []
        var failures: [(type: ProblemType, detail: String, identifier: JSONValue)] = []
        for element in elements {
            guard let type = element["type"]?.string, let value = element["value"]?.string else {
                throw .refused(.malformed, "identifiers", "an identifier needs a type and a value")
            }
            let name = value.lowercased()
            if type != "dns" {
                failures.append((.unsupportedIdentifier, "only dns identifiers are supported", element))
            } else if !isHostName(name) {
                failures.append((.rejectedIdentifier, "not a DNS host name without wildcard", element))
            } else if !names.contains(name) {
                names.append(name)
            }
        }
        guard failures.isEmpty else { throw rejection(failures) }
        return names
    }

    private static func rejection(_ failures: [(type: ProblemType, detail: String, identifier: JSONValue)])
        -> ACMEProblem
    {
        let types = Set(failures.map(\.type))
        let type = types.count == 1 ? failures.first?.type ?? .compound : .compound
        var problem = ACMEProblem.refused(type, "identifiers", "some identifiers cannot be certified")
        problem.members["subproblems"] = .array(
            failures.map { failure in
                [
                    "type": .string(failure.type.uri), "detail": .string(failure.detail),
                    "identifier": .object(present: [
                        "type": failure.identifier["type"], "value": failure.identifier["value"],
                    ]),
                ]
            })
        return problem
    }

    /// Letter-digit-hyphen labels (RFC 1123 §2.1), at most 253 octets; a name whose last label is a number
    /// would be an IPv4 address.
    static func isHostName(_ name: String) -> Bool {
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...253).contains(name.utf8.count), let last = labels.last else { return false }
        return labels.allSatisfy(isLabel) && !last.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isLabel(_ label: Substring.UTF8View) -> Bool {
        guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"),
            label.last != UInt8(ascii: "-")
        else { return false }
        return label.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (0x30...0x39).contains(byte)
                || byte == UInt8(ascii: "-")
        }
    }
}
