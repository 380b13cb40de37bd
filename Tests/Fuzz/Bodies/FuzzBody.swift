/// What fuzzing does with one input. It returns whatever the octets are; a trap is a finding.
///
/// A body may also check a promise (what is decoded and encoded again is the same), by `precondition`.
package struct FuzzBody: Sendable {
    /// Also the name of its folders below `Tests/Fuzz/corpus` and `Tests/Fuzz/regressions`.
    package let name: String
    /// Tries one input.
    package let run: @Sendable ([UInt8]) -> Void

    /// Every body, in the order they are run.
    package static let all = [
        FuzzBody(name: "Certificate", run: CertificateBody.run),
        FuzzBody(name: "CertificateRequest", run: CertificateRequestBody.run),
        FuzzBody(name: "Encodings", run: EncodingsBody.run),
        FuzzBody(name: "JOSE", run: JOSEBody.run),
        FuzzBody(name: "ACME", run: ACMEBody.run),
        FuzzBody(name: "EST", run: ESTBody.run),
        FuzzBody(name: "SCEP", run: SCEPBody.run),
        FuzzBody(name: "SCEPContent", run: SCEPContentBody.run),
        FuzzBody(name: "CMS", run: CMSBody.run),
        FuzzBody(name: "Policy", run: PolicyBody.run),
        FuzzBody(name: "PolicyMatcher", run: PolicyMatcherBody.run),
        FuzzBody(name: "PolicyIntent", run: PolicyIntentBody.run),
        FuzzBody(name: "DeviceImport", run: DeviceImportBody.run),
        FuzzBody(name: "Record", run: RecordBody.run),
        FuzzBody(name: "Note", run: NoteBody.run),
        FuzzBody(name: "LogText", run: LogTextBody.run),
        FuzzBody(name: "LogProof", run: LogProofBody.run),
        FuzzBody(name: "ExportLine", run: ExportLineBody.run),
    ]

    /// The body of that name.
    package static func named(_ name: String) -> FuzzBody? { all.first { $0.name == name } }
}
