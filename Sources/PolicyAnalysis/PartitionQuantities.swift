import EnrollmentCore
import Policy

// Facts that are compared with bounds, and addresses.
extension Partition {
    /// The dimension of an attribute that is a number, a duration or an instant; nil when no rule looks at
    /// it.
    func quantityDimension(_ attribute: Attribute) -> Dimension? {
        switch attribute {
        case .deviceActiveCertificates:
            guard distinguishesCertificateCounts else { return nil }
            let limits = sides.compactMap { $0.service?.limits.liveCertificatesPerDevice }.map(Int64.init)
            // At the limit a first enrolment is denied, beyond it a renewal.
            return numbers(attribute, from: 0, beside: limits.flatMap { [$0, $0 + 1] }) {
                $0.activeCertificates = $1
            }
        case .credentialFailedAttempts:
            return use.tested.contains(attribute)
                ? numbers(attribute, from: 0, beside: []) { $0.failedAttempts = $1 } : nil
        case .requestValidity:
            guard use.tested.contains(attribute) else { return nil }
            let some = numbers(attribute, from: 1, beside: []) { $0.validity = $1 }
            return Dimension(
                name: some.name, cells: [Cell(label: "absent") { $0.validity = nil }] + some.cells)
        case .requestInstant: return use.tested.contains(attribute) ? instants() : nil
        case .deviceID, .deviceSerial, .deviceUDID, .deviceSID, .deviceOwner, .deviceGroup, .deviceDNS,
            .deviceEmail, .deviceUPN, .deviceLastProof, .requestProtocol, .requestOperation,
            .requestCommonName, .requestDNS, .requestEmail, .requestUPN, .requestKeyAlgorithm,
            .clientAddress:
            return nil
        }
    }

    /// The first value of each interval between the bounds.
    private func starts(_ attribute: Attribute, beside others: [Int64], from least: Int64) -> [Int64] {
        let bounds = use.ranges(of: attribute).flatMap { range in
            [range.lowerBound, range.upperBound == .max ? .max : range.upperBound + 1]
        }
        let inner = Set(bounds + others).filter { $0 > least && $0 < .max }
        return [least] + inner.sorted()
    }

    private func numbers(
        _ attribute: Attribute, from least: Int64, beside others: [Int64],
        _ set: @escaping @Sendable (inout RequestSketch, Int64) -> Void
    ) -> Dimension {
        let cells = starts(attribute, beside: others, from: least).map { start in
            Cell(label: "from \(start)") { set(&$0, start) }
        }
        return Dimension(name: attribute.rawValue, cells: cells)
    }

    private func instants() -> Dimension {
        let terms = sides.filter { $0.engine.bundle.reviewTerms.refusesOverdue }
        let reviews = terms.flatMap { side in
            side.engine.bundle.reviews.map {
                $0.reviewBy.adding(seconds: side.engine.bundle.reviewTerms.grace).microseconds
            }
        }
        let starts = starts(.requestInstant, beside: reviews, from: .min)
        let usual = RequestSketch.defaultInstant
        let cells = zip(starts, starts.dropFirst() + [.max]).map { start, end in
            let instant =
                (start..<end).contains(usual.microseconds) ? usual : Self.instant(from: start, to: end)
            return Cell(label: "from \(instant.rfc3339)") { $0.instant = instant }
        }
        // The usual instant stands for requests of which nothing else is asked.
        let first = zip(starts, starts.dropFirst() + [.max]).enumerated().first { _, bounds in
            (bounds.0..<bounds.1).contains(usual.microseconds)
        }?.offset
        let ordered = first.map { [cells[$0]] + cells[..<$0] + cells[($0 + 1)...] } ?? cells
        return Dimension(name: Attribute.requestInstant.rawValue, cells: ordered)
    }

    /// An instant in whole seconds where there is one; ages are counted back from it.
    private static func instant(from start: Int64, to end: Int64) -> Timestamp {
        guard start > .min else { return Timestamp(microseconds: end).adding(seconds: -1) }
        let whole = Timestamp(microseconds: start).wholeSeconds
        let next = whole.microseconds == start ? whole : whole.adding(seconds: 1)
        return next.microseconds < end ? next : Timestamp(microseconds: start)
    }

    /// The dimension of the client's address; nil when no rule looks at it.
    ///
    /// Networks lie within each other or apart, so the part of one that no other takes begins where it begins
    /// or where another ends.
    func addressDimension() throws(AnalysisLimit) -> Dimension? {
        let tests = use.tests(of: [.clientAddress])
        guard !tests.isEmpty else { return nil }
        let ranges = Set(
            tests.flatMap { test -> [AddressRange] in
                if case .attribute(_, .within(let ranges)) = test.subject { return ranges }
                return []
            })
        guard ranges.count <= 1_024 else { throw .cells(1_024) }
        var addresses = ["192.0.2.1", "0.0.0.0", "2001:db8::1", "::"]
        for range in ranges.sorted(by: { $0.text < $1.text }) {
            addresses.append(Self.text(range.network))
            if let next = Self.following(range) { addresses.append(Self.text(next)) }
        }
        let cells = (addresses + ["unknown"]).map { address in
            Cell(label: address) { $0.clientAddress = address }
        }
        return Dimension(
            name: Attribute.clientAddress.rawValue,
            cells: cells.distinct { cell in
                var sketch = base
                cell.apply(&sketch)
                return tests.map { Self.verdict($0, sketch).rawValue }
            })
    }

    /// The first address after a network; nil at the end of all addresses.
    private static func following(_ range: AddressRange) -> [UInt8]? {
        var octets = range.network
        var place = range.length - 1
        // Adds one at the last bit of the prefix.
        while place >= 0 {
            let bit = UInt8(0x80) >> UInt8(place % 8)
            octets[place / 8] ^= bit
            if octets[place / 8] & bit != 0 { return octets }
            place -= 1
        }
        return nil
    }

    private static func text(_ octets: [UInt8]) -> String {
        if octets.count == 4 { return octets.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: octets.count - 1, by: 2).map { place in
            String(Int(octets[place]) << 8 | Int(octets[place + 1]), radix: 16)
        }.joined(separator: ":")
    }
}
