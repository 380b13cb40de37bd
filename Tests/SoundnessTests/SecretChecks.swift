/// Secrets are looked at where they are made, compared or handed over, and are never logged.
enum SecretChecks {
    /// Folders and files in which a secret's octets are needed, each with the reason.
    static let mayReveal: [String: String] = [
        "Sources/EnrollmentCore/Secret.swift": "declares it",
        "Sources/Identity/": "derives secrets and compares what was offered",
        "Sources/ACME/NonceMint.swift": "authenticates nonces under a key",
        "Sources/SCEP/PKCSReq.swift": "tells an empty challenge password from none",
        "Sources/Listener/TLSIdentity.swift": "hands the TLS key to NIOSSL",
        "Sources/TransparencyLog/NoteSigner.swift": "signs with the seed and writes it as a key file",
        "Sources/Gateway/": "makes and reads keys, and prints a minted credential once, on standard output",
    ]

    static func reveals(_ source: SwiftSource) -> [Finding] {
        let isAllowed = mayReveal.keys.contains(where: source.path.hasPrefix)
        guard source.path.hasPrefix("Sources/"), !isAllowed else { return [] }
        return source.findings { line in
            line.contains(".revealed")
                ? "a secret is revealed outside the files of SecretChecks.mayReveal" : nil
        }
    }

    private static let telling = [
        "password", "secret", "challenge", "hmac", "authorization", "revealed", "privatekey", "bearer",
    ]
    private static let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical", "log"]

    /// Calls on a logger whose arguments, names and texts included, sound like a secret.
    static func loggedSecrets(_ source: SwiftSource) -> [Finding] {
        source.code.indices.compactMap { start in
            guard levels.contains(where: { isLogCall(source.code[start], level: $0) }) else { return nil }
            let call = callText(source, from: start).lowercased()
            guard let word = telling.first(where: call.contains) else { return nil }
            return Finding(file: source.path, line: start + 1, message: "a log call mentions \"\(word)\"")
        }
    }

    private static func isLogCall(_ line: String, level: String) -> Bool {
        ["logger.", "log."].contains {
            line.containsWord($0 + level + "(") || line.contains("Logger.\(level)(")
        }
    }

    /// The call's lines as written, up to the one that closes its parenthesis.
    private static func callText(_ source: SwiftSource, from start: Int) -> String {
        var depth = 0
        var text = ""
        for index in source.code.indices[start...] {
            text += source.lines[index] + "\n"
            depth += source.code[index].count { $0 == "(" } - source.code[index].count { $0 == ")" }
            if depth <= 0 { break }
        }
        return text
    }
}
