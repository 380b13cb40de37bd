package import EnrollmentCore

/// What an administrator changes of one device; what is not named stays as it is.
package struct DeviceChange: Sendable, Hashable {
    /// Members that are added to a list or taken from it; both may be done already.
    package struct ListChange: Sendable, Hashable {
        package let added: [String]
        package let removed: [String]

        func applied(to values: [String]) -> [String] {
            Set(values).subtracting(removed).union(added).sorted()
        }
    }

    /// Why a change cannot be taken.
    package struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Fields with one value by their names in a device list; an empty text takes the value away.
    private let values: [String: String]
    private let lists: [String: ListChange]
    private let posture: [PostureFact]
    private let forgottenSources: Set<String>

    /// The fields that `values` may name, and those that `lists` may.
    package static let valueFields = ["serial", "udid", "sid", "owner"]
    package static let listFields = ["groups", "dns", "email", "upn"]

    /// - Parameters:
    ///   - values: the new value by field; an empty text takes it away.
    ///   - lists: by field, members each with a sign: `+servers` is added, `-servers` is taken away.
    ///   - posture: what a source says now (`source=intune,status=compliant`, and optionally
    ///     `jailbroken=false` and `observed_at=` a time or `now`, also meant when left out), in place of what
    ///     it said before; `-intune` forgets the source.
    /// - Throws: what cannot be taken, in one sentence.
    package init(
        values: [String: String], lists: [String: [String]], posture: [String], at now: Timestamp
    ) throws(Problem) {
        do throws(DeviceField.Problem) {
            for (name, value) in values where !value.isEmpty { _ = try DeviceField.text(value, name) }
            self.values = values
            var changes: [String: ListChange] = [:]
            for (name, members) in lists where !members.isEmpty {
                changes[name] = try Self.change(name, members)
            }
            self.lists = changes
            var facts: [PostureFact] = []
            var forgotten: Set<String> = []
            for text in posture {
                if text.hasPrefix("-") {
                    forgotten.insert(String(text.dropFirst()))
                } else {
                    facts.append(try Self.fact(text, at: now))
                }
            }
            let sources = facts.map(\.source)
            guard Set(sources).count == sources.count, forgotten.isDisjoint(with: sources) else {
                throw DeviceField.Problem("posture names a source twice")
            }
            (self.posture, forgottenSources) = (facts, forgotten)
        } catch { throw Problem(description: error.text) }
    }

    /// Whether it names nothing.
    package var isEmpty: Bool {
        values.isEmpty && lists.isEmpty && posture.isEmpty && forgottenSources.isEmpty
    }

    /// The device as it is after the change.
    package func applied(to device: DeviceFacts) -> DeviceFacts {
        func value(_ name: String, _ old: String?) -> String? {
            guard let new = values[name] else { return old }
            return new.isEmpty ? nil : new
        }
        func list(_ name: String, _ old: [String]) -> [String] { lists[name]?.applied(to: old) ?? old }
        let replaced = forgottenSources.union(posture.map(\.source))
        return DeviceFacts(
            id: device.id, serial: value("serial", device.serial), udid: value("udid", device.udid),
            groups: list("groups", device.groups), dns: list("dns", device.dns),
            email: list("email", device.email), upn: list("upn", device.upn), sid: value("sid", device.sid),
            owner: value("owner", device.owner),
            posture: device.posture.filter { !replaced.contains($0.source) } + posture)
    }

    private static func change(_ name: String, _ members: [String]) throws(DeviceField.Problem)
        -> ListChange
    {
        var (added, removed): ([String], [String]) = ([], [])
        for member in members {
            guard let sign = member.first, sign == "+" || sign == "-" else {
                throw DeviceField.Problem(
                    "\(name) needs a sign: +\(member) adds it, -\(member) takes it away")
            }
            let text = try DeviceField.text(String(member.dropFirst()), name)
            let value = name == "dns" ? try DeviceField.dnsName(text) : text
            if sign == "+" { added.append(value) } else { removed.append(value) }
        }
        guard Set(added).isDisjoint(with: removed) else {
            throw DeviceField.Problem("\(name) adds and takes away the same")
        }
        return ListChange(added: added, removed: removed)
    }

    private static func fact(_ text: String, at now: Timestamp) throws(DeviceField.Problem) -> PostureFact {
        var members: [String: String] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                .map(String.init)
            guard let name = sides.first, let value = sides.dropFirst().first, members[name] == nil,
                ["source", "status", "jailbroken", "observed_at"].contains(name)
            else {
                throw DeviceField.Problem(
                    "posture is written source=NAME,status=compliant and optionally jailbroken=false, "
                        + "observed_at=TIME; or -NAME, which forgets a source")
            }
            members[name] = value
        }
        let observed = members["observed_at"] ?? "now"
        return PostureFact(
            source: try DeviceField.text(members["source"] ?? "", "posture source"),
            status: try DeviceField.status(members["status"], "posture status"),
            jailbroken: try members["jailbroken"].map { text throws(DeviceField.Problem) in
                try DeviceField.boolean(text, "jailbroken")
            },
            observedAt: observed == "now" ? now : try DeviceField.instant(observed, "observed_at"))
    }
}

/// What is different in a device before and after.
package struct DeviceDifference: Sendable, Hashable {
    /// One field with its old and its new value.
    package struct Field: Sendable, Hashable {
        /// As in a device list, e.g. `groups`.
        package let name: String
        package let old: JSONValue
        package let new: JSONValue
    }

    /// Ordered by name; empty when nothing is different.
    package let fields: [Field]

    package init(from old: DeviceFacts, to new: DeviceFacts) {
        let (before, after) = (old.members, new.members)
        fields = before.keys.sorted().compactMap { name in
            let (was, becomes) = (before[name] ?? .null, after[name] ?? .null)
            return was == becomes ? nil : Field(name: name, old: was, new: becomes)
        }
    }

    /// Facts about a person. An administrative event is never redacted: that they changed is all it says.
    private static let personal: Set<String> = ["email", "owner", "sid", "upn"]

    /// The fields with old and new value, as the ledger keeps it; of personal ones, that they changed.
    package var document: JSONValue {
        .object(
            Dictionary(
                fields.map { field -> (String, JSONValue) in
                    let values: JSONValue = ["new": field.new, "old": field.old]
                    return (field.name, Self.personal.contains(field.name) ? "changed" : values)
                }, uniquingKeysWith: { first, _ in first }))
    }
}

extension DeviceFacts {
    /// As in a device list: one JSON member a field.
    var members: [String: JSONValue] {
        func list(_ values: [String]) -> JSONValue { .array(values.map(JSONValue.string)) }
        return [
            "id": .string(id.rawValue), "serial": JSONValue(serial), "udid": JSONValue(udid),
            "sid": JSONValue(sid), "owner": JSONValue(owner), "groups": list(groups), "dns": list(dns),
            "email": list(email), "upn": list(upn),
            "posture": .array(
                posture.map { fact in
                    [
                        "source": .string(fact.source), "status": .string(fact.status.rawValue),
                        "jailbroken": fact.jailbroken.map(JSONValue.bool) ?? .null,
                        "observed_at": JSONValue(fact.observedAt?.description),
                    ]
                }),
        ]
    }
}
