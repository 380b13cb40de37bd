import Foundation
import Testing

/// What each refusal looks like outside, by the product's table of answers, and in the ledger.
///
/// Alone on a gate of its own and one after the other: requests of strangers have a budget of ten rows a
/// second.
@Suite(.serialized) struct RefusalTests {
    static let gate = Result { try Gate.start() }

    let gate: Gate

    init() throws {
        gate = try Self.gate.get()
        usleep(120_000)
    }

    /// One reason for a no, and how it is told.
    struct Reason: Sendable, CustomTestStringConvertible {
        let name: String
        let state: String
        let code: String
        let est: String
        let scep: String
        let acme: String
        /// Whether the credential must have stayed usable.
        var keepsCredential = true
        let prepare: @Sendable (Case) throws -> Wish

        var testDescription: String { name }

        func answer(_ door: Door) -> String {
            switch door {
            case .est: est
            case .scep: scep
            case .acme: acme
            }
        }

        /// Denied by policy.
        static func denied(
            _ name: String, _ code: String, _ prepare: @escaping @Sendable (Case) throws -> Wish
        )
            -> Reason
        {
            Reason(
                name: name, state: "denied", code: code, est: "403", scep: "badRequest",
                acme: "403 unauthorized", prepare: prepare)
        }

        /// Put off, and to be collected later.
        static func deferred(
            _ name: String, _ code: String, _ prepare: @escaping @Sendable (Case) throws -> Wish
        ) -> Reason {
            Reason(
                name: name, state: "deferred", code: code, est: "202", scep: "pending",
                acme: "503 serverInternal", keepsCredential: false, prepare: prepare)
        }

        /// The proof is none.
        static func unproven(
            _ name: String, _ code: String, _ prepare: @escaping @Sendable (Case) throws -> Wish
        ) -> Reason {
            Reason(
                name: name, state: "denied", code: code, est: "401", scep: "badMessageCheck",
                acme: "403 unauthorized", keepsCredential: false, prepare: prepare)
        }
    }

    /// One device at one door.
    struct Case {
        let gate: Gate
        let requester: Requester
        let device: TestDevice
        let door: Door

        func register(_ change: (inout TestDevice) -> Void = { _ in }) throws {
            var changed = device
            change(&changed)
            try gate.importDevices([changed])
        }

        /// The wish of this device, faultless, with a new credential in all shapes.
        func wish(ttl: String? = nil) throws -> Wish {
            let credential = try gate.mint("laptops", device.id, nil, ttl: ttl)
            return Wish(credential: credential, user: device.id, commonName: device.id, dns: device.dns)
        }
    }

    static let byFacts: [Reason] = [
        .denied("a device in no group", "no-rule") { one in
            try one.register { $0.groups = [] }
            return try one.wish()
        },
        .denied("a device of another group", "no-rule") { one in
            try one.register { $0.groups = ["servers"] }
            return try one.wish()
        },
        .denied("posture noncompliant", "posture.noncompliant") { one in
            try one.register { $0.posture = "noncompliant" }
            return try one.wish()
        },
        .deferred("posture stale", "posture.stale") { one in
            try one.register { $0.postureAge = 5 * 3_600 }
            return try one.wish()
        },
        .deferred("posture unknown", "posture.unknown") { one in
            try one.register { $0.posture = "unknown" }
            return try one.wish()
        },
        .deferred("posture from the future", "posture.future") { one in
            try one.register { $0.postureAge = -3_600 }
            return try one.wish()
        },
    ]

    static let byProof: [Reason] = [
        .unproven("spent credential", "credential.spent") { one in
            try one.register()
            let wish = try one.wish()
            // Over another door: all shapes of a credential are one use.
            let spent = try one.requester.ask(one.door == .est ? .scep : .est, wish)
            try #require(spent.certificate != nil, "\(spent)")
            return wish
        },
        .unproven("expired credential", "credential.expired") { one in
            try one.register()
            let wish = try one.wish(ttl: "1s")
            usleep(1_200_000)
            return wish
        },
        .unproven("revoked credential", "credential.revoked") { one in
            try one.register()
            let wish = try one.wish()
            let done = try one.gate.command(["credential", "revoke", wish.credential.id, "--reason", "lost"])
            try #require(done.status == 0, "\(done)")
            return wish
        },
        .unproven("a laptop's credential at another service", "credential.foreign_service") { one in
            try one.register()
            var wish = try one.wish()
            wish.service = one.door == .scep ? "network-gear" : "servers"
            return wish
        },
    ]

    @Test("refused by what the directory says", arguments: byFacts, Door.allCases)
    func facts(_ reason: Reason, _ door: Door) throws { try refuse(reason, door) }

    @Test("refused by what was offered as proof", arguments: byProof, Door.allCases)
    func proof(_ reason: Reason, _ door: Door) throws {
        let row = try refuse(reason, door)
        guard reason.code == "credential.spent", let request = row["request_id"] ?? nil else { return }
        let alerts = try gate.ledger(
            "SELECT subject, detail FROM audit.alerts WHERE '\(request)' = ANY (request_ids)")
        #expect(alerts.count == 1, "a spent credential presented again is an alert")
    }

    @Test("a name of another device", arguments: Door.allCases)
    func nameOfAnother(_ door: Door) throws {
        try refuse(
            .denied("name of another", "csr.names_differ") { one in
                try one.register()
                var wish = try one.wish()
                wish.commonName = "LT-OTHER"
                return wish
            }, door, acmeConsumes: true)
    }

    @Test("someone else's credential: the client says it is another device")
    func userNameOfAnother() throws {
        try refuse(
            .unproven("user name of another", "credential.other_device") { one in
                try one.register()
                try one.gate.importDevices([.laptop("LT-OTHER")])
                var wish = try one.wish()
                wish.user = "LT-OTHER"
                wish.commonName = "LT-OTHER"
                return wish
            }, .est)
    }

    @Test("an order for another device's name")
    func orderForAnother() throws {
        let one = try newCase(.acme)
        try one.register()
        var wish = try one.wish()
        wish.dns = ["lt-other.devices.localhost"]
        let reply = try one.requester.ask(.acme, wish)
        #expect(reply.code == "403 unauthorized", "\(reply)")
        try expectRow(reply, one, state: "denied", code: "csr.names_differ")
    }

    @Test("no credential is minted for a device that the directory does not know")
    func mintForUnknownDevice() throws {
        let done = try gate.command(["credential", "mint", "--service", "laptops", "--device", "LT-NOBODY"])
        #expect(done.status == 4, "\(done)")
        #expect(done.output.isEmpty)
        #expect(try gate.ledger("SELECT 1 FROM audit.credentials WHERE device_id = 'LT-NOBODY'").isEmpty)
    }

    @Test("a wrong secret", arguments: Door.allCases)
    func wrongSecret(_ door: Door) throws {
        let one = try newCase(door)
        try one.register()
        var wish = try one.wish()
        let shape = door == .scep ? wish.credential.challengePassword : wish.credential.password
        let text = door == .acme ? wish.credential.hmacKey : shape
        let secret = try #require(text)
        // The last 12 characters changed; the id stays.
        wish.wrongSecret =
            String(secret.dropLast(12)) + (secret.hasSuffix("A") ? "BBBBBBBBBBBA" : "AAAAAAAAAAAA")
        let reply = try one.requester.ask(door, wish)
        let answers: [Door: String] = [.est: "401", .scep: "badMessageCheck", .acme: "403 unauthorized"]
        #expect(reply.code == answers[door], "\(reply)")
        let row = try gate.row(reply.request, of: one.device.id, over: door)
        #expect(row["reason_code"] == "credential.wrong")
        #expect(row["device_id"] == .some(nil), "a guess proves no device")
        let credentials = try gate.ledger(
            "SELECT state, wrong_guesses FROM audit.credentials WHERE credential_id = '\(wish.credential.id)'"
        )
        #expect(credentials == [["state": "usable", "wrong_guesses": "1"]])
        let right = Wish(
            credential: wish.credential, user: one.device.id, commonName: one.device.id, dns: one.device.dns)
        #expect(try one.requester.ask(door, right).certificate != nil, "a guess must not cost the credential")
    }

    @discardableResult
    private func refuse(_ reason: Reason, _ door: Door, acmeConsumes: Bool = false) throws -> [String:
        String?]
    {
        let one = try newCase(door)
        let wish = try reason.prepare(one)
        let before = try certificates(one.device.id)
        let reply = try one.requester.ask(door, wish)
        #expect(reply.code == reason.answer(door), "\(reply)")
        #expect((reply.retryAfter != nil) == (reason.state == "deferred" && door != .scep), "\(reply)")
        let row = try expectRow(reply, one, state: reason.state, code: reason.code, service: wish.service)
        #expect(try certificates(one.device.id) == before, "a refusal issues nothing")
        if reason.keepsCredential, !(acmeConsumes && door == .acme) {
            let states = try gate.ledger(
                "SELECT state FROM audit.credentials WHERE credential_id = '\(wish.credential.id)'")
            #expect(states == [["state": "usable"]], "a refusal does not use up the credential")
        }
        return row
    }

    private func newCase(_ door: Door) throws -> Case {
        let id = "LT-R\(UInt32.random(in: 100_000..<999_999))"
        return Case(gate: gate, requester: try Requester(gate, id), device: .laptop(id), door: door)
    }

    private func certificates(_ device: String) throws -> Int {
        try gate.issuance(of: device).filter { $0["serial"] != .some(nil) }.count
    }

    @discardableResult
    private func expectRow(
        _ reply: Reply, _ one: Case, state: String, code: String, service: String = "laptops"
    ) throws -> [String: String?] {
        let row = try gate.row(reply.request, of: one.device.id, over: one.door)
        #expect(row["state"] == state, "\(row)")
        #expect(row["reason_code"] == code, "\(row)")
        #expect(row["protocol"] == one.door.rawValue)
        #expect(row["service"] == service)
        #expect(row["device_id"] == one.device.id)
        #expect(row["serial"] == .some(nil) && row["certificate_sha256"] == .some(nil))
        #expect(row["owner"].flatMap { $0 } != nil)
        return row
    }
}
