import Policy
import Simulation

/// Recorded requests as the lines of an export, replayed against the starter bundle; and a pair of documents
/// whose decision is recomputed. However the octets are cut into blocks, the report is the same.
enum RecordBody {
    private static let bundle: PolicyBundle = {
        guard let files = try? BundleFile.read(directory: Vectors.policies),
            let bundle = try? PolicyBundle(files: files)
        else { preconditionFailure("no starter bundle") }
        return bundle
    }()
    private static let simulation = Simulation(candidate: bundle)

    static func run(_ octets: [UInt8]) {
        var splitter = LineSplitter()
        let batches = [splitter.append(octets), splitter.finish()].compactMap { $0 }
        let total = batches.map { simulation.replay($0).total }.reduce(0, +)
        var slow = LineSplitter()
        var bytewise: [RecordBatch?] = octets.prefix(2_048).map { slow.append([$0]) }
        bytewise += [slow.append(Array(octets.dropFirst(2_048))), slow.finish()]
        precondition(bytewise.compactMap { $0 }.map { simulation.replay($0).total }.reduce(0, +) == total)
        let (lines, rest) = octets.lines(1)
        _ = try? Replay.verify(request: Array(lines.first ?? []), decision: rest, bundle: bundle)
    }
}
