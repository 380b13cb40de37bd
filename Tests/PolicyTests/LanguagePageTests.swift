import EnrollmentCore
import Foundation
import Testing

@testable import Policy

/// `docs/policy-language.md` leaves out nothing of the language.
struct LanguagePageTests {
    private static let page = {
        let path = StarterBundle.directory.replacingOccurrences(
            of: "policies", with: "docs/policy-language.md", options: .backwards)
        let content = FileManager.default.contents(atPath: path) ?? Data()
        return String(decoding: content, as: UTF8.self)
    }()

    /// The words between backquotes, taken apart at whatever is not part of a name.
    private static let words: Set<String> = {
        let quoted = page.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { $0.element }
        let parts = (quoted + [page[...]]).flatMap { text in
            text.split { !$0.isLetter && !$0.isNumber && !"._-".contains($0) }.map(String.init)
        }
        return Set(parts + parts.flatMap { $0.split(separator: ".").map(String.init) })
    }()

    @Test func namesEveryKey() {
        func visit(_ value: ValueShape) {
            switch value {
            case .mapping(let shape): visit(shape)
            case .members(let value, _), .sequence(let value), .list(let value), .openList(let value):
                visit(value)
            case .either(let values): values.forEach(visit)
            case .words(let words): for word in words { #expect(Self.words.contains(word)) }
            case .text, .name, .duration, .date, .instant, .boolean, .integer, .only, .conditions, .anything:
                return
            }
        }
        func visit(_ shape: MappingShape) {
            for member in shape.members {
                #expect(Self.words.contains(member.key), "\(member.key)")
                visit(member.value)
            }
        }
        visit(RuleShapes.rule)
        visit(CatalogShapes.owners)
        for section in CatalogShapes.sections { visit(section.entry) }
        for fact in ConditionShapes.facts { visit(fact.shape) }
        for kind in ProofKind.allCases { visit(ConditionShapes.proof(kind)) }
        for member in CaseShapes.request.members + CaseShapes.expectation.members + CaseShapes.csr.members {
            #expect(Self.words.contains(member.key), "\(member.key)")
        }
    }

    @Test(arguments: ReasonCode.allCases)
    func namesEveryReasonCode(_ code: ReasonCode) { #expect(Self.page.contains("`\(code.rawValue)`")) }

    /// Each attribute stands in the table, and those that every request has are marked.
    @Test(arguments: Attribute.allCases)
    func namesEveryAttribute(_ attribute: Attribute) {
        let row = Self.page.split(separator: "\n")
            .first {
                $0.hasPrefix("|")
                    && $0.split(separator: "|").first?.contains("`\(attribute.rawValue)`") ?? false
            }
        #expect(row?.hasSuffix("| yes |") == attribute.isAlwaysKnown)
        #expect(row?.contains("claimed") == (attribute.trust == .claimed))
    }

    @Test(arguments: Set(Attribute.Kind.allCases.flatMap(\.matchers)).sorted())
    func namesEveryMatcher(_ matcher: String) { #expect(Self.words.contains(matcher)) }
}
