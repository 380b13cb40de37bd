import EnrollmentCore
import Testing

@testable import Policy
@testable import Simulation

/// Exports are files from anywhere: whatever is in them, a replay ends and says what it could not read.
struct HostileLineTests {
    static func line(strings: Bool = true, id: Int = 1) throws -> String {
        let recorded = Recorded(id: id)
        let request = try recorded.request(Recorded.laptop())
        let decision = recorded.decision(
            PolicyEngine(bundle: try Recorded.bundle()).decide(try Recorded.laptop()))
        let line: JSONValue =
            strings
            ? ["request": .string(request.canonicalText), "decision": .string(decision.canonicalText)]
            : ["request": request, "decision": decision]
        return line.canonicalText
    }

    static func replay(_ octets: [UInt8], cutting size: Int = .max) throws -> SimulationReport {
        let simulation = Simulation(candidate: try Recorded.bundle())
        var splitter = LineSplitter()
        var report = SimulationReport()
        var rest = octets[...]
        while !rest.isEmpty {
            if let batch = splitter.append(Array(rest.prefix(size))) {
                report.merge(simulation.replay(batch))
            }
            rest = rest.dropFirst(min(size, rest.count))
        }
        if let batch = splitter.finish() { report.merge(simulation.replay(batch)) }
        return report
    }

    @Test(
        "documents are read as text in strings and as objects, with any line ends",
        arguments: [1, 100, 5_000, .max])
    func shapes(size: Int) throws {
        let text = try Self.line() + "\n" + Self.line(strings: false) + "\r\n\n  \n" + Self.line()
        let report = try Self.replay(Array(text.utf8), cutting: size)
        #expect(report.counts == [.unchanged: 3] && report.total == 3, "\(report.unreadable)")
    }

    @Test("a line cut anywhere cannot be read, and does no more")
    func truncated() throws {
        for strings in [true, false] {
            let line = Array(try Self.line(strings: strings).utf8)
            let simulation = Simulation(candidate: try Recorded.bundle())
            for length in stride(from: 1, to: line.count, by: 7) {
                let cut = Array(line.prefix(length))
                let report = simulation.replay(RecordBatch(text: cut, lines: [cut.indices], first: 1))
                #expect(report.unreadableCount == 1 && report.total == 1)
            }
        }
    }

    @Test("any octet may be any other")
    func mutated() throws {
        let line = Array(try Self.line().utf8)
        let simulation = Simulation(candidate: try Recorded.bundle())
        var chance = Chance(state: 11)
        for _ in 0..<2_000 {
            var changed = line
            changed[chance.below(line.count)] = UInt8(truncatingIfNeeded: chance.next())
            let report = simulation.replay(RecordBatch(text: changed, lines: [changed.indices], first: 1))
            #expect(report.total == 1)
        }
    }

    @Test(
        "what is no record is refused",
        arguments: [
            "{}", "[]", "1", "{\"request\":{}}", "{\"request\":\"\",\"decision\":\"\"}", "not json",
            "{\"request\":1,\"decision\":2}",
            "{\"request\":{\"kind\":\"assault\",\"request_id\":\"x\"},\"decision\":{}}",
        ])
    func refused(text: String) throws {
        let report = try Self.replay(Array((try Self.line() + "\n" + text + "\n" + Self.line()).utf8))
        #expect(report.unreadableCount == 1 && report.counts == [.unchanged: 2])
        #expect(report.unreadable.map(\.record) == [2])
    }

    @Test("a word that no version knows is refused")
    func unknownWord() throws {
        let known = try Self.line()
        for (old, new) in [
            ("compliant", "content"), ("usable", "useful"), ("ec-p256", "ec-p257"), ("enroll", "own"),
        ] {
            #expect(try Self.replay(Array(known.replacing(old, with: new).utf8)).unreadableCount == 1)
        }
    }

    @Test("of many only the first are told")
    func bounded() throws {
        let report = try Self.replay(
            Array(repeating: UInt8(ascii: "x"), count: 1) + Array("\nx\nx\nx\nx\nx\nx\n".utf8))
        #expect(report.unreadableCount == 7 && report.unreadable.map(\.record) == [1, 2, 3, 4, 5])
    }

    @Test("a line of ten megabytes is dropped beyond its bound, and the next is read")
    func longLine() throws {
        let simulation = Simulation(candidate: try Recorded.bundle())
        var splitter = LineSplitter()
        let block = Array(repeating: UInt8(ascii: "["), count: 1 << 20)
        for _ in 0..<10 { #expect(splitter.append(block) == nil) }
        let batch = try #require(splitter.append(Array(("\n" + (try Self.line()) + "\n").utf8)))
        guard case .lines(let text, _) = batch.content else { return }
        #expect(text.count < LineSplitter.maximumLine + 20_000)
        let report = simulation.replay(batch)
        #expect(report.unreadable.map(\.record) == [1] && report.counts == [.unchanged: 1])
    }
}
