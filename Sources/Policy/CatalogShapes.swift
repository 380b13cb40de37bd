import EnrollmentCore

/// What `owners.yaml` and the files of `catalog/` may hold.
enum CatalogShapes {
    /// What everything declared has.
    static let governed = [
        MemberShape.required(
            "owner", .mapping(owner), "The team answerable for it.",
            remedy: "owner: { team: …, contact: … }"),
        .required(
            "review_by", .date, "The day by which the owner looks at it again.",
            remedy: "the date by which the owner looks at it again"),
    ]

    static let owner = MappingShape(
        "A team and how to reach it.",
        [
            .required("team", .text, "A team of owners.yaml."),
            .required("contact", .text, "How to reach whoever answers for this."),
        ])

    static let owners = MappingShape(
        "Who answers for what.",
        [
            .required("owners", .words(["v1"]), "The version of the language."),
            .required(
                "default", .text, "The team that answers for the bundle, and where nobody else does."),
            .required("teams", .members(.mapping(team), keys: .text), "Teams by name."),
            .optional("reviews", .mapping(reviews), "What becomes of what is past its review date."),
        ])

    static let team = MappingShape(
        "A team.",
        [
            .required("contact", .text, "How to reach it."),
            .optional("escalation", .text, "How to reach whoever comes next."),
            .optional("members", .list(.text), "Who may approve for it, as logged in: os:jane."),
        ])

    static let reviews = MappingShape(
        "What becomes of what is past its review date.",
        [
            .required(
                "overdue", .words(of: OverdueReviews.self),
                "Whether the overdue is warned of only, or grants nothing."),
            .optional("grace", .duration, "How long after the date the refusing begins."),
        ])

    static let group = MappingShape(
        "A device group that rules may name.",
        [.required("description", .text, "Which devices are in it.")] + governed)

    static let source = MappingShape(
        "A posture source that rules may trust.",
        [
            .required("description", .text, "What it knows, of which devices.")
        ] + governed + [
            .required(
                "provides", .list(.words(of: PostureFactKind.self)), "The facts that it reports.",
                remedy: "provides: [compliance, jailbroken], or what it reports of them")
        ])

    static let proof = MappingShape(
        "A kind of proof that rules may ask for.",
        [.required("description", .text, "What it shows, and who hands it out.")] + governed)

    static let profile = MappingShape(
        "What a certificate of one kind may look like.",
        [.required("description", .text, "What its certificates are for.")] + governed + [
            .required(
                "key_algorithms", .list(.words(of: KeyAlgorithm.self)), "Key kinds it certifies."),
            .required("key_usage", .list(.words(of: KeyUsage.self)), "Key usages that it grants."),
            .required(
                "extended_key_usage", .list(.words(of: ExtendedKeyUsage.self)),
                "Extended key usages that it grants."),
            .required("validity", .mapping(validity), "The ceiling for every rule."),
            .required(
                "backdating", .duration(atMost: 86_400), "How far notBefore precedes the signature."),
        ])

    static let validity = MappingShape(
        "How long a certificate lives.", [.required("at_most", .duration, "The longest validity.")])

    static let service = MappingShape(
        "A front door.",
        [.required("description", .text, "Who comes through it, and for what.")] + governed + [
            .optional("default", .boolean, "Whether paths that name no service mean this one."),
            .required(
                "protocols", .list(.words(EnrollmentProtocol.served.map(\.rawValue))),
                "Protocols that are on."),
            .required("issuer", .text, "The name of the issuing CA."),
            .required(
                "profiles", .list(.name), "Profiles it grants; the first to requests that ask for none."),
            .required("limits", .mapping(limits), "Its bounds."),
        ])

    static let limits = MappingShape(
        "A service's bounds.",
        [
            .required(
                "live_certificates_per_device", .integer(1...100_000),
                "At it enrolments are denied, beyond it renewals too."),
            .required(
                "unverified_rows_per_second", .integer(1...100_000),
                "Rows for requests whose requester did not verify; the rest is counted."),
            .required(
                "deferred_credential_hold", .duration,
                "How long a deferred request keeps its credential past expiry."),
            .required("account_order_span", .duration, "How long an ACME account may order."),
        ])

    /// The files of `catalog/` by section, and the shape of one entry of each.
    static let sections: [(name: String, entry: MappingShape, keys: KeyShape)] = [
        ("groups", group, .name),
        ("profiles", profile, .name),
        ("proofs", proof, .words(ProofKind.allCases.map(\.rawValue))),
        ("services", service, .name),
        ("sources", source, .name),
    ]

    /// The whole file of one section.
    static func file(_ section: String, _ entry: MappingShape, keys: KeyShape) -> MappingShape {
        MappingShape(
            "The \(section) of the catalog.",
            [
                .required("catalog", .words(["v1"]), "The version of the language."),
                .required(section, .members(.mapping(entry), keys: keys), "By name."),
            ])
    }
}

/// What a bundle does with what is overdue.
enum OverdueReviews: String, CaseIterable { case warn, refuse }
