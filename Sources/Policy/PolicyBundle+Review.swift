/// What people look at who review a bundle, and no decision does.
extension PolicyBundle {
    /// Who may give approvals, by team; empty for a team without members.
    package var teamMembers: [String: [String]] { catalog.members }

    /// Whom to turn to when a team does not answer, by team; those that name nobody are left out.
    package var escalations: [String: String] {
        let files = BundleFile.files(fromCanonical: canonicalBytes) ?? []
        guard let owners = files.first(where: { $0.path == "owners.yaml" }),
            let teams = StrictYAML.parse(owners, DiagnosticCollector())?["teams"]?.entries
        else { return [:] }
        let pairs = teams.compactMap { team -> (String, String)? in
            guard case .scalar(let text, _) = team.value["escalation"]?.content else { return nil }
            return (team.key, text)
        }
        return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }
}

extension BundleFile {
    /// Whether two files say the same: the same tree, whatever their comments and spacing and the order of
    /// the keys at the top.
    ///
    /// - Throws: when one of them is not the YAML that bundles are written in.
    package func saysTheSame(as other: BundleFile) throws(PolicyLoadError) -> Bool {
        let (own, others) = (try meaning(), try other.meaning())
        return own.count == others.count && Set(own) == Set(others)
    }

    /// The members at the top, each as one text; of anything else than a mapping the one text.
    private func meaning() throws(PolicyLoadError) -> [String] {
        let faults = DiagnosticCollector()
        let tree = StrictYAML.parse(self, faults)
        try faults.throwIfAny()
        guard let tree else { return [] }
        return tree.entries?.map { "\($0.key.debugDescription): \($0.value.meaning)" } ?? [tree.meaning]
    }
}

extension YAMLNode {
    /// Everything about the value but where it stands.
    fileprivate var meaning: String {
        switch content {
        case .scalar(let text, let isPlain): return (isPlain ? "plain " : "text ") + text.debugDescription
        case .sequence(let items): return "[" + items.map(\.meaning).joined(separator: ", ") + "]"
        case .mapping(let entries):
            let members = entries.map { "\($0.key.debugDescription): \($0.value.meaning)" }
            return "{" + members.joined(separator: ", ") + "}"
        }
    }
}
