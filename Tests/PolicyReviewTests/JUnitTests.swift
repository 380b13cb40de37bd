import Foundation
import Policy
import Testing

@testable import PolicyReview

#if canImport(FoundationXML)
import FoundationXML
#endif

/// The XML that continuous integration reads: well-formed whatever the cases are called, and it counts right.
struct JUnitTests {
    /// Counts elements and keeps the names of cases.
    private final class Reader: NSObject, XMLParserDelegate {
        var counts: [String: Int] = [:]
        var names: [String] = []
        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            counts[name, default: 0] += 1
            if name == "testcase", let name = attributes["name"] { names.append(name) }
        }
    }

    private func read(_ xml: String) -> Reader? {
        let reader = Reader()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = reader
        return parser.parse() ? reader : nil
    }

    @Test func hostileNamesStayText() throws {
        let name = "</testcase> & \\\"'<![CDATA[ ]]> é"
        let cases = SampleBundle.entryCases.replacing("- name: waits", with: "- name: \"\(name)\"")
            .replacing("approval.waiting", with: "posture.stale")
        let bundle = try SampleBundle.small(["entry": (SampleBundle.entry, cases)])
        let report = PolicyTestRunner(bundle: bundle).run()
        let xml = JUnitReport(report, mutation: MutationTest(bundle: bundle).run()).xml
        let reader = try #require(read(xml))
        #expect(reader.names.first == "</testcase> & \"'<![CDATA[ ]]> é")
        #expect(reader.counts["testsuite"] == 3)
        #expect(xml.contains("expected: defer posture.stale\nactual:   defer approval.waiting by entry"))
        #expect(
            xml.contains("<testsuite name=\"entry\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">"))
    }

    @Test func starterBundleCounts() throws {
        let report = PolicyTestRunner(bundle: try SampleBundle.starter()).run()
        let reader = try #require(read(JUnitReport(report).xml))
        #expect(reader.counts["testcase"] == report.results.count)
        #expect(reader.counts["failure"] == nil)
    }
}
