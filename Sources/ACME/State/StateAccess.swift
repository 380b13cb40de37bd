import EnrollmentCore

/// A document kept in the `ProtocolStateStore`, and the version it was read at.
protocol StoredState: Sendable {
    /// The record kind, e.g. `acme.order`.
    static var kind: String { get }
    var id: String { get }
    var document: JSONValue { get }
    /// When the record may be forgotten; nil keeps it.
    var forgottenAt: Timestamp? { get }

    /// Nil when the document is not one of ours.
    init?(id: String, document: JSONValue)
}

extension StoredState {
    static func key(_ id: String, _ service: ServiceName) -> ProtocolRecordKey {
        ProtocolRecordKey(service: service, kind: kind, id: id)
    }

    func record(_ service: ServiceName) -> ProtocolRecord {
        ProtocolRecord(key: Self.key(id, service), document: document, expiresAt: forgottenAt)
    }
}

extension ACMEServer {
    /// How often a compare-and-swap is tried again before the client is sent away.
    private static let attempts = 16

    /// The object of that id within the service, and its version; nil when there is none.
    func load<State: StoredState>(_ type: State.Type, _ id: String, _ exchange: ACMEExchange)
        async throws(ACMEProblem) -> (state: State, version: Int64)?
    {
        let record: ProtocolRecord?
        do throws(LedgerError) {
            record = try await store.load(State.key(id, exchange.service.name))
        } catch {
            throw .unavailable(retryAfter: Self.outageSpan)
        }
        guard let record else { return nil }
        guard let state = State(id: id, document: record.document) else {
            throw .unavailable(retryAfter: Self.outageSpan)  // not what we wrote: never guess
        }
        return (state, record.version)
    }

    /// Stores a new object; false when one of that id is there.
    func insert(_ state: some StoredState, _ exchange: ACMEExchange) async throws(ACMEProblem) -> Bool {
        do throws(LedgerError) {
            return try await store.insert(state.record(exchange.service.name))
        } catch {
            throw .unavailable(retryAfter: Self.outageSpan)
        }
    }

    /// Changes an object by compare-and-swap: reads, applies `change`, and writes unless it returned false.
    ///
    /// - Parameter change: sees the current object; it must not rely on being called once.
    /// - Returns: the object as it now is.
    func update<State: StoredState>(
        _ type: State.Type, _ id: String, _ exchange: ACMEExchange,
        _ change: (inout State) throws(ACMEProblem) -> Bool
    ) async throws(ACMEProblem) -> State {
        for _ in 0..<Self.attempts {
            guard let (stored, version) = try await load(type, id, exchange) else { throw .absent }
            var state = stored
            guard try change(&state) else { return state }
            let replaced: Bool
            do throws(LedgerError) {
                replaced = try await store.replace(
                    ProtocolRecord(
                        key: State.key(id, exchange.service.name), version: version, document: state.document,
                        expiresAt: state.forgottenAt),
                    version: version)
            } catch {
                throw .unavailable(retryAfter: Self.outageSpan)
            }
            if replaced { return state }
        }
        throw .unavailable(retryAfter: 1)
    }

    /// A fresh, unguessable object id or token: 128 random bits in base64url, 22 characters.
    func freshIdentifier() -> String { Base64.encodeURLSafe(random.octets(16)) }
}
