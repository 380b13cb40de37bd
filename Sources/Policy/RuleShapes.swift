import EnrollmentCore

/// What a rule file may hold. Its conditions are in `ConditionShapes`.
enum RuleShapes {
    /// What a rule does when it applies.
    enum EffectName: String, CaseIterable { case permit, deny }
    /// What becomes of a request for more than is granted.
    enum Difference: String, CaseIterable { case deny, replace }

    static let rule = MappingShape(
        "One rule.",
        [
            .required("policy", .words(["v1"]), "The version of the language."),
            .required("id", .name, "The file's name without its ending."),
            .required("title", .text, "One line, read aloud in explanations."),
            .optional("citation", .text, "Where it comes from: a standard, a decision, a ticket."),
            .optional("because", .text, "Why it is so, shown in explanations."),
        ] + CatalogShapes.governed + [
            .required(
                "mode", .words(of: Rule.Mode.self),
                "enforce; shadow records what it would do; off is checked and otherwise not there."),
            .required(
                "effect", .words(of: EffectName.self),
                "permit grants when all of require holds; deny blocks unless it is safe."),
            .required("applies_to", .mapping(scope), "What it is about."),
            .optional(
                "require", .conditions(.required), "For permit rules: all of it must hold."),
            .optional(
                "block_unless", .conditions(.safe),
                "For deny rules: the safe state. Anything else blocks, the unknown too."),
            .optional(
                "block_if", .conditions(.alwaysKnown),
                "For deny rules: what blocks, of facts that every request has."),
            .optional("certificate", .mapping(certificate), "For permit rules: what is granted."),
            .optional("approval", .mapping(approval), "For permit rules: people who must agree."),
        ],
        [
            .when(
                key: "effect", is: "permit", needs: ["require", "certificate"], oneOf: [],
                refuses: ["block_unless", "block_if"],
                remedy: "a permit rule says who gets it in `require`, and what in `certificate`"),
            .when(
                key: "effect", is: "deny", needs: [], oneOf: ["block_unless", "block_if"],
                refuses: ["require", "certificate", "approval"],
                remedy: "a deny rule says what is safe in `block_unless`, or what blocks in `block_if`"),
        ])

    static let scope = MappingShape(
        "What the rule is about: facts that every request has.",
        [
            .required(
                "service", .list(.name), "Services, or any.", remedy: "write `any` to mean every one"),
            .required(
                "profile", .list(.name), "Profiles, or any.", remedy: "write `any` to mean every one"),
            .optional(
                "protocol", .list(.words(of: EnrollmentProtocol.self)), "Protocols; left out: all."),
            .optional(
                "operation", .list(.words(of: EnrollmentOperation.self)), "Operations; left out: all."),
        ])

    static let certificate = MappingShape(
        "What is granted.",
        [
            .optional("common_name", .text, "A template: text with {device.id} and the like."),
            .optional("san", .mapping(names), "Subject alternative names."),
            .optional(
                "extended_key_usage", .list(.words(of: ExtendedKeyUsage.self)),
                "Within the profile's; left out: the profile's."),
            .required(
                "validity", .mapping(CatalogShapes.validity), "The profile's ceiling holds besides.",
                remedy: "validity: { at_most: 90d }"),
            .optional(
                "if_csr_differs", .words(of: Difference.self),
                "A request for other names or usages: deny it, or grant these in their place."),
        ])

    static let names = MappingShape(
        "Templates by kind of name.",
        [
            .optional("dns", .list(.text), "DNS names."),
            .optional("email", .list(.text), "Mail addresses."),
            .optional("upn", .list(.text), "User principal names."),
        ])

    static let approval = MappingShape(
        "How many people of a team must have approved, and how lately.",
        [
            .required("from", .text, "A team of owners.yaml that lists its members."),
            .optional("count", .integer(1...9), "Different people who must approve; left out: 1."),
            .required(
                "within", .duration, "How long an approval counts.",
                remedy: "how long an approval counts; write within: 24h"),
            .optional(
                "four_eyes", .boolean, "Whether who minted the credential may not approve; left out: false."),
        ])
}
