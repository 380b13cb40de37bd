package import EnrollmentCore

/// A request written down in the form of a case's `base`, to be asked about by hand.
package struct IntentFile {
    /// The one request of a file.
    ///
    /// - Parameters:
    ///   - file: YAML with the keys of `base`; `service` is required. JSON without escapes beyond YAML's is
    ///     YAML too.
    ///   - bundle: whose catalog gives what is left out.
    ///   - instant: when it is asked, unless the file says `at`; nil: at the instant of cases.
    /// - Throws: everything that is wrong with the file.
    package static func load(
        _ file: BundleFile, for bundle: PolicyBundle, at instant: Timestamp? = nil
    ) throws(PolicyLoadError) -> (input: PolicyInput, question: PolicyQuestion) {
        let faults = DiagnosticCollector()
        let subject = StrictYAML.parse(file, faults).flatMap { document in
            CaseInputLoader(
                onlyService: nil, catalog: bundle.catalog, faults: faults,
                defaultInstant: instant ?? CaseInputLoader.instantOfCases
            ).input(document)
        }
        try faults.throwIfAny()
        guard let subject else { throw PolicyLoadError(diagnostics: []) }
        return subject
    }
}
