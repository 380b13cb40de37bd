/// JSON Schemas of the policy language, for editors that complete and mark errors while one types. They are
/// made of the shapes that loading reads by.
///
/// A schema knows nothing of other files: whether a name is declared, only loading tells.
package enum PolicySchemas {
    /// The folder that they stand in, below the bundle's directory.
    package static let folder = ".schema"

    /// Every schema as a file.
    ///
    /// - Returns: paths relative to the bundle's directory, e.g. `.schema/policy-v1.json`, and texts that end
    ///   with
    ///   a line feed; sorted by path.
    package static func files() -> [(path: String, text: String)] {
        var documents = [
            "cases-v1": JSONSchema.document(CaseShapes.file, title: "Gatehouse policy cases, version 1"),
            "intent-v1": JSONSchema.document(CaseShapes.request, title: "Gatehouse request, version 1"),
            "owners-v1": JSONSchema.document(CatalogShapes.owners, title: "Gatehouse owners, version 1"),
            "policy-v1": JSONSchema.document(
                RuleShapes.rule, title: "Gatehouse policy rule, version 1",
                definitions: ConditionSchema.definitions()),
        ]
        for (name, entry, keys) in CatalogShapes.sections {
            documents["catalog-\(name)-v1"] = JSONSchema.document(
                CatalogShapes.file(name, entry, keys: keys), title: "Gatehouse catalog: \(name), version 1")
        }
        return documents.sorted { $0.key < $1.key }.map { name, document in
            ("\(folder)/\(name).json", document.indentedText() + "\n")
        }
    }

    /// The name of the schema for a bundle's file, e.g. `policy-v1`; nil for a path that is no part of a
    /// bundle.
    package static func name(for path: String) -> String? {
        if path == "owners.yaml" { return "owners-v1" }
        if path.hasPrefix("rules/") {
            return path.hasSuffix(".cases.yaml") ? "cases-v1" : path.hasSuffix(".yaml") ? "policy-v1" : nil
        }
        return CatalogShapes.sections.first { path == "catalog/\($0.name).yaml" }
            .map { "catalog-\($0.name)-v1" }
    }
}
