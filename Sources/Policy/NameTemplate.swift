import EnrollmentCore

/// A name to be put in a certificate: text with attributes in braces, e.g. `{device.id}`. No filters.
package struct NameTemplate: Sendable, Hashable {
    /// An attribute that a name may be made of.
    package enum Variable: String, Sendable, Hashable, CaseIterable {
        case deviceID = "device.id"
        case deviceSerial = "device.serial"
        case deviceDNS = "device.dns"
        case deviceEmail = "device.email"
        case deviceUPN = "device.upn"
        case requestDNS = "request.dns"

        /// Whether it may stand for several names, or none, and so must be the whole template.
        package var isList: Bool {
            switch self {
            case .deviceID, .deviceSerial: return false
            case .deviceDNS, .deviceEmail, .deviceUPN, .requestDNS: return true
            }
        }
    }

    /// Why a text is no template.
    package enum Fault: Error, Sendable, Hashable {
        case unbalanced, unknown(String), listInText(String)
    }

    private enum Part: Sendable, Hashable { case text(String), variable(Variable) }
    private let parts: [Part]
    /// As it is written.
    package let text: String

    /// The list it stands for, when it stands for one.
    package let list: Variable?

    package init(_ text: String) throws(Fault) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else { throw .unbalanced }
            if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            let name = String(rest[rest.index(after: open)..<close])
            guard let variable = Variable(rawValue: name) else { throw .unknown(name) }
            parts.append(.variable(variable))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        var list: Variable?
        for case .variable(let variable) in parts where variable.isList {
            guard parts.count == 1 else { throw .listInText(variable.rawValue) }
            list = variable
        }
        self.text = text
        self.parts = parts
        self.list = list
    }

    /// Every attribute in it.
    package var variables: [Variable] {
        parts.compactMap { if case .variable(let variable) = $0 { variable } else { nil } }
    }

    /// An example of a name it makes: attributes stand as `x`. Nil for a list, whose names stand as they are.
    var sample: String? {
        guard list == nil else { return nil }
        return parts.map { part in
            switch part {
            case .text(let text): return text
            case .variable: return "x"
            }
        }.joined()
    }

    /// The names it stands for; nil when a single attribute it needs is absent.
    func names(in input: PolicyInput) -> [String]? {
        if let list { return Self.values(of: list, in: input) }
        var name = ""
        for part in parts {
            switch part {
            case .text(let text): name += text
            case .variable(let variable):
                guard let value = Self.values(of: variable, in: input).first else { return nil }
                name += value
            }
        }
        return [name]
    }

    private static func values(of variable: Variable, in input: PolicyInput) -> [String] {
        switch variable {
        case .deviceID: return Attribute.deviceID.values(in: input)
        case .deviceSerial: return Attribute.deviceSerial.values(in: input)
        case .deviceDNS: return Attribute.deviceDNS.values(in: input)
        case .deviceEmail: return input.device?.email ?? []
        case .deviceUPN: return input.device?.upn ?? []
        case .requestDNS: return Attribute.requestDNS.values(in: input)
        }
    }
}
