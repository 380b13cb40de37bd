import EnrollmentCore
import Policy

/// One file of the starter bundle replaced by the input. The first line names it. Of the rules only its own
/// stay, which makes a run ten times cheaper.
enum PolicyBody {
    static let starter: [BundleFile] = {
        guard let files = try? BundleFile.read(directory: Vectors.policies) else {
            preconditionFailure("no starter bundle")
        }
        return files
    }()

    static func run(_ octets: [UInt8]) {
        let (lines, content) = octets.lines(1)
        let path = lines.first.map { FrontEndRun.text($0) } ?? ""
        let stem = path.split(separator: ".").first.map(String.init) ?? ""
        let kept = starter.filter { file in
            file.path != path && (!file.path.hasPrefix("rules/") || file.path.hasPrefix(stem + "."))
        }
        guard let bundle = try? PolicyBundle(files: kept + [BundleFile(path: path, bytes: content)]) else {
            return
        }
        _ = PolicyTestRunner(bundle: bundle).run()
        precondition(BundleFile.files(fromCanonical: bundle.canonicalBytes) != nil)
    }
}

/// What rules match values with. The first line says which (glob, network, template), the second is the
/// pattern, the third the value; what a plain reading of the definition says must come out.
enum PolicyMatcherBody {
    static func run(_ octets: [UInt8]) {
        let (lines, rest) = octets.lines(2)
        guard lines.count == 2 else { return }
        let pattern = FrontEndRun.text(lines[1])
        let value = FrontEndRun.text(rest)
        switch FrontEndRun.text(lines[0]) {
        case "glob":
            guard let glob = Glob(pattern) else { return }
            let matches = glob.matches(value)
            let (octets, ends) = (Array(value.utf8), glob.prefix.count + glob.suffix.count)
            precondition(
                matches
                    == (octets.count >= ends && Array(octets.prefix(glob.prefix.count)) == glob.prefix
                        && Array(octets.suffix(glob.suffix.count)) == glob.suffix))
            precondition(glob.matches(pattern))
        case "network":
            guard let range = try? AddressRange(pattern) else { return }
            precondition(range.length <= range.network.count * 8)
            precondition(range.contains(IPAddressText.encode(range.network)) == true)
            _ = range.contains(value)
        default:
            guard let template = try? NameTemplate(pattern) else { return }
            precondition(template.text == pattern)
            precondition(template.list == nil || template.variables.count == 1)
        }
    }
}

/// A request written down, asked about in the starter bundle: the same answer each time.
enum PolicyIntentBody {
    private static let bundle: PolicyBundle = {
        guard let bundle = try? PolicyBundle(files: PolicyBody.starter) else {
            preconditionFailure("the starter bundle does not load")
        }
        return bundle
    }()

    static func run(_ octets: [UInt8]) {
        let file = BundleFile(path: "intent.yaml", bytes: octets)
        guard let (input, question) = try? IntentFile.load(file, for: bundle) else { return }
        let engine = PolicyEngine(bundle: bundle)
        switch question {
        case .request: precondition(engine.decide(input) == engine.decide(input))
        case .inquiry: precondition(engine.assess(input) == engine.assess(input))
        case .account: precondition(engine.assessAccount(input) == engine.assessAccount(input))
        }
    }
}
