import Foundation
import Testing

/// After requests of every kind, well-formed and not, no secret is anywhere but with its device.
@Suite struct SecretTests {
    @Test("no secret in logs, ledger, files of the state, answers or output")
    func nowhere() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let requester = try Requester(gate, "secrets")
        let device = TestDevice.laptop("LT-S-1")
        try gate.importDevices([device])

        var replies: [String] = []
        for door in Door.allCases { replies += try enrolments(requester, device, door) }
        replies += try mistakes(requester, device)
        try #require(replies.count > 30)

        let search = try SecretSearch(gate, gate.minted)
        let evidence = try gate.folder("evidence")
        try evidence.write(replies.joined(separator: "\n"), to: "answers")
        try writeOutput(of: gate, to: evidence)
        try dump(gate, to: evidence.file("dump"))
        #expect(
            try search.hits(in: [evidence.path, gate.state, gate.logFile, gate.directory.file("up.out")])
                == [])
        try expectFinds(search, gate)
    }

    /// Clients with one field for everything put the secret where a name belongs; it may still be usable
    /// then.
    @Test("a secret in the place of a name is not kept", arguments: ["path", "user name", "common name"])
    func inPlaceOfAName(_ place: String) throws {
        let gate = try RefusalTests.gate.get()
        let requester = try Requester(gate, "misplaced")
        let device = TestDevice.laptop("LT-S-\(place.count)")
        try gate.importDevices([device])
        let credential = try gate.mint("laptops", device.id, nil)
        let secret = credential.password ?? ""
        var wish = Wish(credential: credential, user: device.id, commonName: device.id, dns: device.dns)
        switch place {
        case "user name": wish.user = secret
        case "common name": wish.commonName = secret
        default: wish.service = secret
        }
        let replies =
            [try requester.ask(.est, wish)] + (place == "path" ? [] : [try requester.ask(.scep, wish)])
        #expect(replies.allSatisfy { $0.certificate == nil || place == "user name" }, "\(replies)")
        if place == "path" {
            let url =
                "\(try gate.endpoints.http)/scep/\(credential.challengePassword ?? "")?operation=GetCACaps"
            try Tool.succeed("curl", ["-sS", url], in: requester.folder)
        }
        let folder = try gate.folder("misplaced-evidence")
        try dump(gate, to: folder.file("dump"))
        #expect(try SecretSearch(gate, [credential]).hits(in: [folder.path, gate.logFile]) == [])
    }

    /// A search that finds nothing proves something only when it can find: each place is given a secret.
    private func expectFinds(_ search: SecretSearch, _ gate: Gate) throws {
        let planted = try #require(gate.minted.first)
        let secret = try #require(planted.secrets.first)
        let throwaway = try gate.mint("laptops", planted.device, "est")
        let done = try gate.command(["credential", "revoke", throwaway.id, "--reason", "planted \(secret)"])
        try #require(done.status == 0, "\(done)")
        let folder = try gate.folder("planted")
        try dump(gate, to: folder.file("dump"))
        #expect(try search.hits(in: [folder.path]) == [folder.file("dump")], "in the database")
        for (name, form) in SecretSearch.forms(of: secret, user: planted.device) {
            let file = try folder.write("some text \(form) and more\n", to: "planted")
            #expect(try search.hits(in: [file]) == [file], "\(name)")
        }
        let log = try folder.write(Data.contents(gate.logFile) + Data(secret.utf8), to: "log")
        #expect(try search.hits(in: [log]) == [log])
    }

    /// One that succeeds, one spent, one wrong, one denied, one with a bad key.
    private func enrolments(_ requester: Requester, _ device: TestDevice, _ door: Door) throws -> [String] {
        var replies: [Reply] = []
        func ask(_ change: (inout Wish) -> Void = { _ in }) throws -> Wish {
            let credential = try requester.gate.mint("laptops", device.id, nil)
            var wish = Wish(
                credential: credential, user: device.id, commonName: device.id, dns: device.dns)
            change(&wish)
            replies.append(try requester.ask(door, wish))
            return wish
        }
        let spent = try ask()
        replies.append(try requester.ask(door, spent))
        _ = try ask { $0.wrongSecret = String(($0.credential.password ?? "").dropLast(4)) + "AAAA" }
        _ = try ask { $0.commonName = "LT-OTHER" }
        _ = try ask { $0.key = "rsa1024" }
        _ = try ask { $0.isAuthority = true }
        if door == .acme {
            for (step, kind) in [("new_account", "not_json"), ("new_account", "alg"), ("finalize", "csr")] {
                _ = try ask { $0.fault = (step, kind) }
            }
        }
        #expect(replies.first?.certificate != nil, "\(door): \(replies)")
        return replies.map { "\($0)" }
    }

    /// Secrets where they do not belong.
    private func mistakes(_ requester: Requester, _ device: TestDevice) throws -> [String] {
        let credential = try requester.gate.mint("laptops", device.id, nil)
        let (password, challenge) = (credential.password ?? "", credential.challengePassword ?? "")
        let key = credential.hmacKey ?? ""
        let body = Data("this is no request: \(password)".utf8)
        let encoded = Data(body.base64EncodedString().utf8)
        let user = ["-u", credential.userAndPassword]
        var replies: [Reply] = []
        let est: [(body: Data, options: [String])] = [
            (body, user), (encoded, user), (body, []),
            (encoded, ["-H", "Authorization: Bearer \(password)", "-H", "Content-Type: application/pkcs10"]),
            (encoded, ["-H", "Authorization: Basic \(password)", "-H", "Content-Type: application/pkcs10"]),
            (encoded, ["-u", "\(password):\(device.id)"]),
            (encoded, user + ["-H", "Content-Type: \(password)"]),
            (encoded, user + ["-X", password]),
        ]
        for one in est {
            replies.append(try requester.est("laptops", "simpleenroll", body: one.body, one.options))
        }
        replies.append(try requester.est("laptops", "simpleenroll?p=\(password)", body: encoded, user))
        replies.append(try requester.est("laptops", password, body: encoded, user))
        let hexadecimal = challenge.utf8.map { String(format: "%02x", $0) }.joined()
        replies += [
            try requester.scep(["body": hexadecimal]),
            try requester.scep(["content": "30\(hexadecimal)", "common_name": device.id]),
            try requester.scep(["challenge": challenge, "message_type": 18, "common_name": device.id]),
            try requester.scep(["challenge": challenge + "X", "common_name": device.id]),
            try requester.scep(["challenge": challenge, "signing_key": "rsa2048", "common_name": device.id]),
            try requester.acme(["kid": key, "hmac_key": key, "names": device.dns]),
            try requester.acme(["kid": credential.kid ?? "", "hmac_key": key, "names": ["*.\(key)"]]),
        ]
        let said = try urls(with: challenge, key, requester.gate).map { url in
            try Tool.run("curl", ["-sS", "-i", "--cacert", requester.gate.root, url], in: requester.folder)
        }
        return replies.map { "\($0)" } + said.map { "\($0)" }
    }

    private func urls(with challenge: String, _ key: String, _ gate: Gate) throws -> [String] {
        let plain = try gate.endpoints
        return [
            "\(plain.http)/scep/laptops?operation=PKIOperation&message=\(challenge)",
            "\(plain.http)/scep/laptops?operation=\(challenge)", "\(plain.http)/\(challenge)",
            "\(plain.tls)/acme/laptops/\(key)",
        ]
    }

    /// What every verb that shows something says.
    private func writeOutput(of gate: Gate, to folder: Folder) throws {
        let requests = try gate.ledger("SELECT request_id FROM audit.issuance").compactMap {
            $0["request_id"] ?? nil
        }
        try #require(requests.count > 30)
        let shown = stride(from: 0, to: requests.count, by: 6).flatMap { index in
            ["show", "why"].map { ["request", $0, requests[index]] }
        }
        let verbs: [[String]] = [
            ["credential", "list"], ["device", "list"], ["device", "show", "LT-S-1"], ["config", "check"],
            ["ledger", "query", "SELECT * FROM audit.requests"],
            ["ledger", "query", "SELECT * FROM audit.entries"],
            ["ledger", "query", "SELECT * FROM audit.credentials"],
            ["ledger", "query", "SELECT no_such_column"],
        ]
        for (index, verb) in (verbs + shown).enumerated() {
            let done = try gate.command(verb)
            try folder.write(done.data + Data(done.messages.utf8), to: "output-\(index)")
        }
    }

    /// The whole database as its superuser; octets come out in hexadecimal.
    private func dump(_ gate: Gate, to file: String) throws {
        let done = try Tool.succeed(
            PostgresPrograms.path("pg_dump"),
            ["-h", "\(gate.state)/run", "-U", "gatehouse_superuser", "-f", file, "gatehouse"],
            in: gate.folder("pg_dump"))
        try #require(done.status == 0 && !Data.contents(file).isEmpty)
    }
}
