import EnrollmentCore

/// Loads the files of a bundle in the order in which they depend on each other.
struct BundleLoader {
    struct Loaded {
        let catalog: Catalog
        let defaultService: Service
        let rules: [Rule]
        let cases: [PolicyCase]
    }

    private let files: [BundleFile]
    private let readsCases: Bool
    private let faults = DiagnosticCollector()

    /// - Parameter readsCases: whether cases are loaded too.
    init(files: [BundleFile], readsCases: Bool) {
        self.files = files.sorted { $0.path < $1.path }
        self.readsCases = readsCases
    }

    func load() throws(PolicyLoadError) -> Loaded {
        let paths = acceptedPaths()
        var documents: [String: YAMLNode] = [:]
        for file in files where paths.contains(file.path) && (readsCases || !Self.isCases(file.path)) {
            documents[file.path] = StrictYAML.parse(file, faults)
        }
        for path in CatalogLoader.paths where !paths.contains(path) {
            faults.report(file: path, "this file is missing", remedy: "every bundle declares it")
        }
        var loader = CatalogLoader(documents: documents, faults)
        loader.load()
        let rulePaths = paths.filter(Self.isRule).sorted()
        let ids = Set(rulePaths.map(Self.stem) + rulePaths.compactMap { documents[$0]?.declaredID })
        var rules: [Rule] = []
        var cases: [PolicyCase] = []
        for path in rulePaths {
            let rule = documents[path].flatMap { RuleLoader(document: $0, faults: faults).rule(&loader) }
            if let rule { rules.append(rule) }
            guard let document = documents[Self.casesPath(path)] else { continue }
            cases += CaseLoader(
                ruleID: rule?.id ?? Self.stem(path), scope: rule?.scope, ruleIDs: ids,
                catalog: loader.catalog,
                faults: faults
            )
            .cases(document)
        }
        refuseRepeatedIDs(rules)
        try faults.throwIfAny()
        guard let defaultService = loader.catalog.services.values.first(where: \.isDefault) else {
            throw PolicyLoadError(diagnostics: [])
        }
        return Loaded(catalog: loader.catalog, defaultService: defaultService, rules: rules, cases: cases)
    }

    /// The text that is hashed and kept.
    static func canonicalText(_ files: [BundleFile]) -> String {
        let members = files.map { ($0.path, JSONValue.string(String(decoding: $0.bytes, as: UTF8.self))) }
        let object = JSONValue.object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
        return JSONValue.object(["files": object]).canonicalText
    }

    private static func isRule(_ path: String) -> Bool {
        path.hasPrefix("rules/") && path.hasSuffix(".yaml") && !path.hasSuffix(".cases.yaml")
    }

    private static func isCases(_ path: String) -> Bool {
        path.hasPrefix("rules/") && path.hasSuffix(".cases.yaml")
    }

    /// The file's name without its ending.
    static func stem(_ path: String) -> String {
        String(path.split(separator: "/").last?.dropLast(5) ?? "")
    }

    private static func casesPath(_ rule: String) -> String { String(rule.dropLast(5)) + ".cases.yaml" }

    /// The paths that belong to a bundle, after reporting the others: a file that is passed over in silence
    /// may be a deny rule.
    private func acceptedPaths() -> Set<String> {
        var accepted: Set<String> = []
        let all = Set(files.map(\.path))
        for file in files {
            let path = file.path
            if accepted.contains(path) {
                faults.report(file: path, "this file is given twice")
            } else if Self.endsAlmostInYAML(path) {
                faults.report(file: path, "files of a bundle end in .yaml", remedy: "rename it")
            } else if !path.utf8.allSatisfy(Self.isPathCharacter) {
                faults.report(
                    file: path, "a path of lower-case letters, digits, `.`, `-`, `_` and `/` is needed")
            } else if CatalogLoader.paths.contains(path) {
                accepted.insert(path)
            } else if Self.isRule(path) {
                accepted.insert(path)
                if !all.contains(Self.casesPath(path)) {
                    faults.report(
                        file: path, "this rule has no cases",
                        remedy: "write \(Self.casesPath(path)) beside it")
                }
            } else if Self.isCases(path) {
                accepted.insert(path)
                let rule = String(path.dropLast(11)) + ".yaml"
                if !all.contains(rule) {
                    faults.report(file: path, "these cases have no rule", remedy: "write \(rule)")
                }
            } else {
                faults.report(
                    file: path, "no part of a bundle",
                    remedy: spellingRemedy(path, among: CatalogLoader.paths))
            }
        }
        return accepted
    }

    private static func endsAlmostInYAML(_ path: String) -> Bool {
        let ending = path.lowercased()
        return ending.hasSuffix(".yml") || ending.hasSuffix(".yaml") && !path.hasSuffix(".yaml")
    }

    private static func isPathCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "/"):
            return true
        default: return false
        }
    }

    private func refuseRepeatedIDs(_ rules: [Rule]) {
        var seen: [String: String] = [:]
        for rule in rules {
            if let first = seen[rule.id] {
                faults.report(rule.position, "the rule id `\(rule.id)` is taken by \(first)")
            }
            seen[rule.id] = rule.position.file
        }
    }
}

extension YAMLNode {
    /// The id that a rule's document gives itself, well formed or not.
    fileprivate var declaredID: String? {
        if case .scalar(let id, _) = self["id"]?.content { return id }
        return nil
    }
}
