/// What `Package.swift` says each target may import, read from its text.
struct PackageManifest {
    /// Target → names of the modules it declares.
    private(set) var dependencies: [String: Set<String>] = [:]
    /// Last path component of every package's URL.
    private(set) var packages: [String] = []

    init(_ file: TextFile) {
        let text = file.lines.map { line in
            line.trimmed.hasPrefix("//") ? "" : line
        }.joined(separator: "\n")
        let constants = PackageManifest.constants(in: text)
        for opening in ["library(", "tests(", ".executableTarget(", ".target(", ".systemLibrary("] {
            for call in PackageManifest.arguments(ofCallsTo: opening, in: text) {
                guard let name = PackageManifest.strings(in: call).first else { continue }
                let modules = PackageManifest.modules(in: call, constants: constants)
                dependencies[name] = modules.subtracting([name])
            }
        }
        packages = PackageManifest.arguments(ofCallsTo: ".package(url:", in: text).compactMap { call in
            PackageManifest.strings(in: call).first?.split(separator: "/").last.map(String.init)
        }
    }

    /// `let name: Target.Dependency = …` and lists of them → the product names on the right.
    private static func constants(in text: String) -> [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        for part in ("\n" + text).components(separatedBy: "\nlet ").dropFirst() {
            guard let name = part.words.first, part.contains("Target.Dependency") else { continue }
            let products = arguments(ofCallsTo: ".product(", in: declaration(part))
            found[name] = Set(products.compactMap { strings(in: $0).first })
        }
        return found
    }

    /// Up to the next declaration at the margin.
    private static func declaration(_ text: String) -> String {
        text.components(separatedBy: "\nfunc ").first?.components(separatedBy: "\n\n").first ?? text
    }

    /// The modules named before the labels that follow a target's dependencies.
    private static func modules(in call: String, constants: [String: Set<String>]) -> Set<String> {
        var list = call
        for label in ["path:", "resources:", "swiftSettings:", "pkgConfig:", "providers:"] {
            list = list.components(separatedBy: label).first ?? list
        }
        let literals = strings(in: list)
        let symbols = zip(0..., list.split(separator: "\"", omittingEmptySubsequences: false))
            .filter { $0.0.isMultiple(of: 2) }.flatMap(\.1.words)
        return symbols.compactMap { constants[$0] }.reduce(Set(literals)) { $0.union($1) }
    }

    /// The text between the parentheses of each call.
    private static func arguments(ofCallsTo opening: String, in text: String) -> [String] {
        text.offsets(ofWord: opening).map { offset in
            var depth = 1
            return String(
                text.dropFirst(offset + opening.count).prefix { character in
                    if character == "(" { depth += 1 }
                    if character == ")" { depth -= 1 }
                    return depth > 0
                })
        }
    }

    private static func strings(in text: String) -> [String] {
        zip(0..., text.split(separator: "\"", omittingEmptySubsequences: false))
            .filter { !$0.0.isMultiple(of: 2) }.map { String($0.1) }
    }
}

extension String {
    /// The parts between occurrences of `separator`.
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var part = ""
        var rest = Substring(self)
        while let first = rest.first {
            if rest.hasPrefix(separator) {
                parts.append(part)
                part = ""
                rest = rest.dropFirst(separator.count)
            } else {
                part.append(first)
                rest = rest.dropFirst()
            }
        }
        return parts + [part]
    }
}
