import EnrollmentCore
import FrontEnd

extension ACMEServer {
    /// Reads, updates or deactivates the account that asks (RFC 8555 §7.3.2, §7.3.6).
    func account(_ id: String, _ exchange: ACMEExchange) async throws(ACMEProblem) -> FrontEndResponse {
        try await authenticate(exchange) { account, signed throws(ACMEProblem) in
            guard account.id == id else { throw .absent }
            guard !signed.payload.isEmpty else { return exchange.json(200, shown(account)) }
            let payload = try signed.object()
            let contact = try Contact.read(payload["contact"])
            var deactivates = false
            if let status = payload["status"] {
                guard status == "deactivated" else {
                    throw .refused(
                        .malformed, "account_update", "an account's status can be set to deactivated only")
                }
                deactivates = true
            }
            let updated = try await update(ACMEAccount.self, id, exchange) { account throws(ACMEProblem) in
                try account.requireValid()
                if deactivates { account.status = .deactivated }
                if let contact { account.contact = contact }
                return deactivates || contact != nil
            }
            return exchange.json(200, shown(updated))
        }
    }

    /// The account object (RFC 8555 §7.1.2), without a list of orders.
    func shown(_ account: ACMEAccount) -> JSONValue {
        .object(present: [
            "status": .string(account.status.rawValue),
            "contact": account.contact.isEmpty ? nil : .array(account.contact.map(JSONValue.string)),
            "externalAccountBinding": account.binding,
        ])
    }
}

/// The contact URLs of an account (RFC 8555 §7.3).
enum Contact {
    /// Nil when the member is absent.
    ///
    /// - Throws: unless it is a list of at most ten `mailto` URLs with one address each.
    static func read(_ member: JSONValue?) throws(ACMEProblem) -> [String]? {
        guard let member else { return nil }
        guard let urls = member.strings, urls.count <= 10 else {
            throw .refused(.malformed, "contact", "contact must be a list of at most ten URLs")
        }
        for url in urls {
            guard url.lowercased().hasPrefix("mailto:") else {
                throw .refused(.unsupportedContact, "contact", "contact URLs must be of the mailto scheme")
            }
            guard isOneAddress(url.dropFirst("mailto:".count)) else {
                throw .refused(.invalidContact, "contact", "a contact URL must hold one e-mail address")
            }
        }
        return urls
    }

    private static func isOneAddress(_ address: Substring) -> Bool {
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && address.utf8.count <= 254
            && address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !Array("?,;<>\"\\".utf8).contains($0) }
    }
}
