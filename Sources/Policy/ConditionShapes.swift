import EnrollmentCore

/// Where conditions stand in a rule, by the key that they stand under.
enum ConditionPlace: String, Sendable {
    /// A permit rule's: all of it must hold.
    case required = "require"
    /// A deny rule's safe state: anything else blocks.
    case safe = "block_unless"
    /// What a deny rule blocks: facts that no request lacks.
    case alwaysKnown = "block_if"
}

/// What conditions on posture and proofs may hold. The matchers of attributes are `Attribute.Kind.matchers`.
enum ConditionShapes {
    static let combinators = ["all_of", "any_of", "none_of"]
    /// How deep combinations may nest.
    static let maximumDepth = 2
    /// How many tests one rule may have.
    static let maximumTests = 256

    /// The facts of posture, by key.
    static let facts: [(key: String, shape: MappingShape)] = [
        (
            "device.posture",
            MappingShape(
                "The source says that the device is compliant, and no source says otherwise.",
                [
                    .required("source", .name, "A source of the catalog."),
                    .required("status", .words(["compliant"]), "The only one that can be asked for."),
                    maximumAge,
                ])
        ),
        (
            "device.jailbroken",
            MappingShape(
                "A source says that the device is not jailbroken, and none says that it is.",
                [
                    .required("is", .only(false), "The only one that can be asked for."),
                    .optional("source", .name, "A source of the catalog; left out: any."),
                    maximumAge,
                ])
        ),
    ]

    /// What a rule may ask of each kind of proof.
    static func proof(_ kind: ProofKind) -> MappingShape {
        switch kind {
        case .oneTimeCredential:
            return MappingShape(
                "A usable credential, or an ACME account that one bound, names the device.",
                [.required("bound_to", .words(["device.id"]), "The device that it must name.")])
        case .certificateOfOurs:
            return MappingShape(
                "A valid certificate of this service names the device.",
                [.optional("for", .words(["renewal"]), "With it, only to renew or rekey.")])
        case .domainControl:
            return MappingShape(
                "Control was shown of the names asked for.",
                [
                    .required("covers", .words(["request.dns"]), "Every one of these names."),
                    maximumAge,
                ])
        }
    }

    private static let maximumAge = MemberShape.required(
        "max_age", .duration, "How old it may be.",
        remedy: "a fact of any age proves nothing; write max_age: 4h")
}
