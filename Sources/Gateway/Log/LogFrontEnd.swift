import EnrollmentCore
import Foundation
import FrontEnd
import Ledger
import Sequencing
import TransparencyLog

/// The log over HTTP, as C2SP tlog-tiles lays it out, below `/log`: `checkpoint`, `tile/…`, and `key`. What
/// it says is public and proves itself. The checkpoint is the newest that the guard has anchored.
///
/// Each origin has a prefix of its own, as it has a place of its own in a publication: `/log` is that of the
/// first, `/log/1` of the next. Only there a tile is for ever the same. `/log` goes on to tell the newest.
struct LogFrontEnd: ProtocolFrontEnd {
    let log: PostgresLogReader
    let logGuard: LogGuard

    var maximumBodySize: Int { 0 }

    func respond(to request: FrontEndRequest) async -> FrontEndResponse {
        guard request.method == "GET" || request.method == "HEAD" else {
            return FrontEndResponse(status: 405, headers: [(name: "allow", value: "GET, HEAD")])
        }
        guard let (named, path) = Self.split(request.path) else { return notFound }
        let generation: Int64? = if case .complete(let number) = logGuard.standing { number } else { nil }
        if named > 0, named != generation { return generation == nil ? unavailable : notFound }
        do {
            switch path {
            case "checkpoint":
                guard logGuard.standing.objection == nil else { return unavailable }
                guard let newest = logGuard.newest, named == 0 || isOf(named, newest) else { return notFound }
                return text(newest.encoded)
            case "key":
                guard let keys = FileManager.default.contents(atPath: logGuard.anchor.state.logKey) else {
                    return notFound
                }
                return text(String(decoding: keys, as: UTF8.self))
            case let path:
                guard let address = Tile.address(of: String(path)) else { return notFound }
                return try await tile(address, isFinal: named == generation)
            }
        } catch is LogTiles.Missing {
            return notFound
        } catch {
            return unavailable
        }
    }

    private var unavailable: FrontEndResponse {
        FrontEndResponse(status: 503, headers: [(name: "retry-after", value: "5")])
    }

    /// Which generation's prefix a path has, and what follows it; nil for a path that is not of the log.
    private static func split(_ path: String) -> (named: Int64, rest: Substring)? {
        let prefix = "/log/"
        guard path.hasPrefix(prefix) else { return nil }
        let rest = path.dropFirst(prefix.count)
        guard let slash = rest.firstIndex(of: "/"), let number = Int64(rest[..<slash]), number > 0,
            String(number) == rest[..<slash]
        else { return (0, rest) }
        return (number, rest[rest.index(after: slash)...])
    }

    private func isOf(_ generation: Int64, _ note: SignedNote) -> Bool {
        (try? note.checkpoint())?.origin == logGuard.anchor.identity.origin(generation)
    }

    /// A full tile is the same for good, a partial one too, but for its life being short; under the prefix of
    /// its own origin, and while the log is complete.
    private func tile(_ address: TileAddress, isFinal: Bool) async throws -> FrontEndResponse {
        let hashes = try await LogTiles(log).hashes(of: address)
        let age = address.width == Tile.width ? 31_536_000 : 60
        return FrontEndResponse(
            status: 200,
            headers: [
                (name: "content-type", value: "application/octet-stream"),
                (name: "cache-control", value: isFinal ? "public, max-age=\(age), immutable" : "no-cache"),
            ], body: hashes.flatMap(\.bytes))
    }

    private func text(_ text: String) -> FrontEndResponse {
        FrontEndResponse(
            status: 200,
            headers: [
                (name: "content-type", value: "text/plain; charset=utf-8"),
                (name: "cache-control", value: "no-cache"),
            ], body: Array(text.utf8))
    }

    private var notFound: FrontEndResponse {
        FrontEndResponse(
            status: 404,
            headers: [
                (name: "content-type", value: "text/plain; charset=utf-8"),
                (name: "cache-control", value: "no-cache"),
            ], body: Array("not found\n".utf8))
    }
}
