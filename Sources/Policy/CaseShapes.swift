import EnrollmentCore

/// What a file of cases, and the request in it, may hold.
enum CaseShapes {
    static let file = MappingShape(
        "Table tests of the rule beside them.",
        [
            .required("tests", .words(["v1"]), "The version of the language."),
            .required("base", .mapping(request), "The request that every case starts from."),
            .required("cases", .sequence(.mapping(policyCase)), "The cases."),
        ])

    static let policyCase = MappingShape(
        "One case.",
        [
            .required("name", .text, "What it shows."),
            .optional(
                "with", .members(.anything, keys: .path), "What is set in the base, by dotted path."),
            .optional("without", .list(.text), "What is taken from the base, by dotted path."),
            .required("expect", .mapping(expectation), "What the decision must be."),
        ])

    static let expectation = MappingShape(
        "What the decision must be: exactly one of permit, defer and deny, and what else matters.",
        [
            .optional("permit", .list(.text), "Ids of all the rules that permit."),
            .optional("defer", .list(.text), "Reason codes, or ids of rules that carried the outcome."),
            .optional("deny", .list(.text), "Reason codes, or ids of rules that carried the outcome."),
            .optional("kind", .words(of: RefusalKind.self), "What the client may learn of a denial."),
            .optional("validity", .duration, "Of the grant, from the instant of judgement."),
            .optional("common_name", .text, "Of the grant."),
            .optional("dns", .list(.text), "All DNS names of the grant."),
            .optional(
                "usages", .list(.words(of: ExtendedKeyUsage.self)), "All extended key usages of the grant."),
            .optional(
                "shadow", .words(of: CaseExpectation.Effect.self),
                "What the outcome would be if rules in shadow were enforced."),
        ], [.exactlyOne(["permit", "defer", "deny"])])

    static let request = MappingShape(
        "A request, and what is known when it is judged.",
        [
            .optional("at", .instant, "The instant of judgement; left out: 2026-11-22T12:00:00Z."),
            .optional(
                "inquiry", .either([.boolean, .words(["account"])]),
                "true: what an ACME newOrder would be told; account: what a newAccount would be."),
            .optional("service", .name, "Left out: the rule's only one."),
            .optional("profile", .name, "The profile asked for."),
            .optional(
                "protocol", .words(of: EnrollmentProtocol.self), "Left out: one that the service has."),
            .optional("operation", .words(of: EnrollmentOperation.self), "Left out: enroll."),
            .optional(
                "device", .mapping(device), "What the directory knows; left out: it knows no such device."),
            .optional(
                "posture", .either([.mapping(posture), .sequence(.mapping(posture))]),
                "The last fact of each source."),
            .optional("proof", .mapping(proofs), "What the client proved."),
            .optional("claims", .list(.text), "Devices that the client claims to be."),
            .optional("csr", .mapping(csr), "The certificate request."),
            .optional("history", .mapping(history), "What the ledger knows."),
            .optional("approvals", .sequence(.mapping(approval)), "What people said of this request."),
            .optional("client_address", .text, "Left out: 192.0.2.1."),
        ])

    static let device = MappingShape(
        "What the directory knows of the device.",
        [
            .required("id", .text, "Its directory name."),
            .optional("serial", .text, "Its serial number."),
            .optional("udid", .text, "Its unique device identifier."),
            .optional("sid", .text, "Its Windows security identifier."),
            .optional("owner", .text, "The person answerable for it."),
            .optional("group", .openList(.text), "Its groups."),
            .optional("dns", .openList(.text), "DNS names granted to it."),
            .optional("email", .openList(.text), "Mail addresses granted to it."),
            .optional("upn", .openList(.text), "User principal names granted to it."),
        ])

    static let posture = MappingShape(
        "What one source last said.",
        [
            .required("source", .text, "The source's name."),
            .optional("status", .words(of: PostureStatus.self), "Left out: unknown."),
            .optional("jailbroken", .boolean, "Left out: the source cannot tell."),
            .optional("age", .duration, "How long ago it was observed."),
            .optional("from_now", .duration, "How far in the future it is dated."),
        ], [.atMostOne(["age", "from_now"])])

    static let proofs = MappingShape(
        "What the client proved.",
        [
            .optional("one_time_credential", .mapping(credential), "A credential minted for one device."),
            .optional("account", .mapping(credential), "An ACME account that such a credential bound."),
            .optional("certificate_of_ours", .mapping(certificate), "A certificate of ours."),
            .optional("domain_control", .mapping(control), "Names whose control was shown."),
        ])

    static let credential = MappingShape(
        "A credential.",
        [
            .required("bound_to", .text, "The device that it names."),
            .optional("state", .words(of: CredentialState.self), "Left out: usable."),
        ])

    static let certificate = MappingShape(
        "A certificate offered as proof.",
        [
            .required("bound_to", .text, "The device that it names."),
            .optional("state", .words(of: CertificateState.self), "Left out: valid."),
            .optional("names", .mapping(csr), "The names in it; left out: those asked for."),
        ])

    static let control = MappingShape(
        "Names whose control was shown.",
        [
            .required("names", .list(.text), "The names."),
            .optional("age", .duration, "How long ago; left out: a minute."),
        ])

    static let csr = MappingShape(
        "The certificate request.",
        [
            .optional("common_name", .text, "Common name."),
            .optional("subject", .openList(.text), "Other attributes of the subject."),
            .optional("dns", .openList(.text), "DNS names."),
            .optional("email", .openList(.text), "Mail addresses."),
            .optional("uri", .openList(.text), "URIs."),
            .optional("ip", .openList(.text), "IP addresses."),
            .optional("upn", .openList(.text), "User principal names."),
            .optional("unsupported", .openList(.text), "Names of kinds that nobody grants."),
            .optional(
                "extended_key_usage", .openList(.text), "Usages by name, or as dotted object identifiers."),
            .optional("validity", .duration, "The validity asked for."),
            .optional("key", .words(of: KeyAlgorithm.self), "The kind of key; left out: ec-p256."),
            .optional("names_complete", .boolean, "Whether nothing is filled in: an ACME order."),
        ])

    static let history = MappingShape(
        "What the ledger knows that bears on the decision.",
        [
            .optional(
                "active_certificates", .integer(0...1_000_000), "Live certificates in this service."),
            .optional(
                "key_seen_on_other_device", .boolean, "Whether another device was certified for the key."),
            .optional("key_blocked", .boolean, "Whether the key was revoked as compromised."),
            .optional(
                "failed_attempts", .integer(0...1_000_000), "Wrong guesses at the credential offered."),
            .optional(
                "last_proofs", .list(.words(VerifiedProof.kindNames)),
                "Kinds of proof by which the device got its latest certificate."),
            .optional("minted_by", .text, "Who minted the credential offered, e.g. os:jane."),
        ])

    static let approval = MappingShape(
        "One person's word on this request.",
        [
            .required("by", .text, "Who, e.g. os:jane."),
            .required("verdict", .words(of: Approval.Verdict.self), "What they said."),
            .optional("age", .duration, "How long ago."),
            .optional("from_now", .duration, "How far in the future it is dated."),
        ], [.atMostOne(["age", "from_now"])])
}
