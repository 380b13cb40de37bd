import EnrollmentCore
import Foundation
import FrontEnd
import Ledger
import Sequencing
import TransparencyLog

/// The log over HTTP, as C2SP tlog-tiles lays it out, below `/log`: `checkpoint`, `tile/…`, and `key`. What
/// it says is public and proves itself. The checkpoint is the newest that the guard has anchored.
struct LogFrontEnd: ProtocolFrontEnd {
    let log: PostgresLogReader
    let logGuard: LogGuard

    var maximumBodySize: Int { 0 }

    func respond(to request: FrontEndRequest) async -> FrontEndResponse {
        guard request.method == "GET" || request.method == "HEAD" else {
            return FrontEndResponse(status: 405, headers: [(name: "allow", value: "GET, HEAD")])
        }
        let prefix = "/log/"
        guard request.path.hasPrefix(prefix) else { return notFound }
        do {
            switch request.path.dropFirst(prefix.count) {
            case "checkpoint":
                guard logGuard.standing.objection == nil else { return unavailable }
                guard let newest = logGuard.newest else { return notFound }
                return text(newest.encoded)
            case "key":
                guard let keys = FileManager.default.contents(atPath: logGuard.anchor.state.logKey) else {
                    return notFound
                }
                return text(String(decoding: keys, as: UTF8.self))
            case let path:
                guard let address = Tile.address(of: String(path)) else { return notFound }
                return try await tile(address)
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

    /// A full tile is the same for good, a partial one too, but for its life being short.
    private func tile(_ address: TileAddress) async throws -> FrontEndResponse {
        let hashes = try await LogTiles(log).hashes(of: address)
        let age = address.width == Tile.width ? 31_536_000 : 60
        return FrontEndResponse(
            status: 200,
            headers: [
                (name: "content-type", value: "application/octet-stream"),
                (name: "cache-control", value: "public, max-age=\(age), immutable"),
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
