/// Imports agree with `Package.swift`, and `Package.swift` with the architecture.
enum ImportChecks {
    /// Modules of the toolchain that need no declaration.
    private static let toolchain: Set<String> = [
        "Dispatch", "Foundation", "FoundationEssentials", "FoundationXML", "Glibc",
        "Synchronization", "Swift", "Testing",
    ]

    static func undeclaredImports(_ source: SwiftSource, _ manifest: PackageManifest) -> [Finding] {
        guard let target = source.target, let declared = manifest.dependencies[target] else { return [] }
        return source.findings { line in
            guard let module = importedModule(line) else { return nil }
            if module == "CNIOBoringSSL" || module == "CCryptoBoringSSL" {
                return "\(module) is private to its package; import the Swift module or OpenSSLCrypto"
            }
            guard !declared.contains(module), !toolchain.contains(module) else { return nil }
            return "\(target) imports \(module), which Package.swift does not give it"
        }
    }

    private static let modifiers: Set<String> = [
        "package", "internal", "private", "fileprivate", "testable", "preconcurrency", "_implementationOnly",
    ]

    static func importedModule(_ line: String) -> String? {
        let words = line.words
        guard let keyword = words.firstIndex(of: "import"), keyword < 3, words.count > keyword + 1,
            words[..<keyword].allSatisfy(modifiers.contains)
        else { return nil }
        let kinds = ["struct", "class", "enum", "func", "protocol", "typealias", "let", "var"]
        let index = kinds.contains(words[keyword + 1]) ? keyword + 2 : keyword + 1
        return words.indices.contains(index) ? words[index] : nil
    }

    /// Which targets of ours a target may never declare, whatever is convenient.
    private static let forbidden: [String: Set<String>] = [
        "SCEP": ["Policy", "Issuance", "Ledger", "Registration", "Identity", "Database", "EST", "ACME"],
        "EST": ["Policy", "Issuance", "Ledger", "Registration", "Identity", "Database", "SCEP", "ACME"],
        "ACME": ["Policy", "Issuance", "Ledger", "Registration", "Identity", "Database", "SCEP", "EST"],
        "FrontEnd": ["Policy", "Issuance", "Ledger", "Registration", "Identity", "Database", "PKIX"],
        "Listener": ["Policy", "Issuance", "Ledger", "Registration", "Identity", "Database"],
        "Policy": ["Issuance", "Ledger", "Registration", "Identity", "Database", "FrontEnd", "PKIX"],
        "Issuance": ["Ledger", "Registration", "Identity", "Database", "FrontEnd"],
        "Registration": ["Ledger", "Identity", "Database", "FrontEnd"],
        "Identity": ["Policy", "Issuance", "Ledger", "Registration", "FrontEnd"],
        "Ledger": ["Policy", "Issuance", "Identity", "Registration", "FrontEnd"],
        "TransparencyLog": ["Database", "Ledger", "Policy", "FrontEnd"],
        "Verification": ["Ledger", "Sequencing", "Issuance", "Registration", "Identity", "FrontEnd"],
        "Verifier": ["Ledger", "Sequencing", "Issuance", "Registration", "Identity", "FrontEnd"],
    ]
    /// Modules with one importer.
    private static let soleImporter = ["COpenSSL": "OpenSSLCrypto", "CLibPQ": "Database"]
    /// Targets that declare this and no more.
    private static let exactly: [String: Set<String>] = [
        "PKIX": ["SwiftASN1"], "OpenSSLCrypto": ["COpenSSL"], "Database": ["CLibPQ"],
    ]

    static func architecture(_ manifest: PackageManifest) -> [Finding] {
        let production = manifest.dependencies.filter { !$0.key.hasSuffix("Tests") }
        var messages: [String] = []
        for (target, declared) in production {
            for module in declared.intersection(forbidden[target] ?? []) {
                messages.append("\(target) may not depend on \(module)")
            }
            for (module, importer) in soleImporter where declared.contains(module) && target != importer {
                messages.append("\(module) belongs to \(importer) alone, not to \(target)")
            }
            if let allowed = exactly[target], declared != allowed {
                messages.append("\(target) depends on \(allowed.sorted()) and nothing else")
            }
        }
        return messages.sorted().map { Finding(file: "Package.swift", line: 0, message: $0) }
    }
}
