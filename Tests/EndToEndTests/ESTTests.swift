import Foundation
import Testing

/// EST with curl and openssl, and with strongSwan.
@Suite struct ESTTests {
    /// How a client may put its request on the wire.
    static let ways: [(name: String, options: [String])] = [
        ("tls12", ["--tls-max", "1.2"]), ("tls13", ["--tlsv1.3"]),
        ("chunked", ["-H", "Transfer-Encoding: chunked"]), ("expect", ["-H", "Expect: 100-continue"]),
    ]

    @Test(arguments: Array(ways.indices))
    func enrolment(way: Int) throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("est-\(Self.ways[way].name)")
        let laptop = TestDevice.laptop("LT-E0\(way)")
        try gate.importDevices([laptop])
        let client = EST(gate, folder)
        let made = try Judge.request(subject: "/CN=\(laptop.id)", dns: laptop.dns, in: folder)
        let credential = try gate.mint("laptops", laptop.id, "est")
        let answer = try client.enrol(made, user: credential.userAndPassword, options: Self.ways[way].options)
        try #require(answer.status == 200, "\(answer)")
        #expect(answer.headers["content-type"]?.hasPrefix("application/pkcs7-mime") == true)
        let first = try answer.certificate(in: folder)
        try expectSound(first, commonName: laptop.id, dns: laptop.dns, gate: gate, folder: folder)

        // The same key: renewal. Another one: rekey.
        let again = try Judge.request(subject: "/CN=\(laptop.id)", dns: laptop.dns, key: made.key, in: folder)
        let other = try Judge.request(subject: "/CN=\(laptop.id)", dns: laptop.dns, in: folder)
        for request in [again, other] {
            let answer = try client.renew(
                request, certificate: first, key: made.key, options: Self.ways[way].options)
            try #require(answer.status == 200, "\(answer)")
            let file = try answer.certificate(in: folder)
            try expectSound(file, commonName: laptop.id, dns: laptop.dns, gate: gate, folder: folder)
        }
        #expect(try gate.issued(laptop.id).map { $0.text("operation") } == ["enroll", "renew", "rekey"])
    }

    /// A client that waits for it gets 100 Continue before it sends the body.
    @Test func continueIsSent() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("est-continue")
        try gate.importDevices([.laptop("LT-E10")])
        let client = EST(gate, folder)
        let made = try Judge.request(subject: "/CN=LT-E10", in: folder)
        let credential = try gate.mint("laptops", "LT-E10", "est")
        let finished = try Tool.run(
            "curl",
            [
                "-sS", "-v", "--expect100-timeout", "20", "-H", "Expect: 100-continue", "-u",
                credential.userAndPassword,
            ]
                + (try client.arguments(made)), in: folder)
        #expect(finished.messages.contains("< HTTP/1.1 100 Continue"), "\(finished.messages)")
        #expect(finished.messages.contains("< HTTP/1.1 200"))
    }

    /// Names left out of the request are filled from the directory.
    @Test func namesAreFilled() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("est-names")
        let laptop = TestDevice.laptop("LT-E11")
        try gate.importDevices([laptop])
        let made = try Judge.request(subject: "/", in: folder)
        let credential = try gate.mint("laptops", "LT-E11", "est")
        let answer = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        try #require(answer.status == 200, "\(answer)")
        let file = try answer.certificate(in: folder)
        try expectSound(file, commonName: "LT-E11", dns: laptop.dns, gate: gate, folder: folder)
    }

    @Test(arguments: ["--tls-max 1.2", "--tlsv1.3"])
    func authorities(version: String) throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("est-cacerts")
        let client = EST(gate, folder)
        let answer = try client.curl(
            version.split(separator: " ").map(String.init) + [
                "--cacert", gate.root, try client.url("cacerts"),
            ])
        try #require(answer.status == 200, "\(answer)")
        let file = try answer.certificate(in: folder)
        let given = String(decoding: Data.contents(file), as: UTF8.self)
        for path in [gate.issuing, gate.root] {
            let pem = String(decoding: Data.contents(path), as: UTF8.self)
            let body = pem.split(separator: "\n").dropFirst().dropLast().joined()
            #expect(given.split(separator: "\n").joined().contains(body))
        }
    }

    @Test func strongSwan() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("est-strongswan")
        let laptop = TestDevice.laptop("LT-E12")
        try gate.importDevices([laptop])
        let url = try gate.endpoints.tls
        try Tool.succeed(
            "pki",
            [
                "--estca", "--url", url, "--cacert", gate.root, "--caout", "ca.pem", "--outform", "pem",
                "--force",
            ],
            in: folder)
        let made = try Judge.request(subject: "/CN=LT-E12", dns: laptop.dns, in: folder)
        let credential = try gate.mint("laptops", "LT-E12", "est")
        let common = [
            "--est", "--url", url, "--cacert", gate.root, "--cacert", gate.issuing, "--outform", "pem",
        ]
        let done = try Tool.succeed(
            "pki", common + ["--in", made.request, "--userpass", credential.userAndPassword], in: folder)
        let first = try folder.write(done.data, to: "first.pem")
        try expectSound(first, commonName: "LT-E12", dns: laptop.dns, gate: gate, folder: folder)

        let other = try Judge.request(subject: "/CN=LT-E12", dns: laptop.dns, in: folder)
        let renewed = try Tool.succeed(
            "pki", common + ["--in", other.request, "--cert", first, "--key", made.key], in: folder)
        let second = try folder.write(renewed.data, to: "second.pem")
        try expectSound(second, commonName: "LT-E12", dns: laptop.dns, gate: gate, folder: folder)
        #expect(try gate.issued("LT-E12").map { $0.text("operation") } == ["enroll", "rekey"])
    }

    /// Deferred for stale posture: 202, then the same request with the same credential gets its certificate.
    @Test func deferredRequestIsRepeated() throws {
        let gate = try Gate.shared()
        let folder = try gate.folder("est-deferred")
        var laptop = TestDevice.laptop("LT-E13")
        laptop.postureAge = 5 * 3_600
        try gate.importDevices([laptop])
        let client = EST(gate, folder)
        let made = try Judge.request(subject: "/CN=LT-E13", in: folder)
        let credential = try gate.mint("laptops", "LT-E13", "est")
        let first = try client.enrol(made, user: credential.userAndPassword)
        #expect(first.status == 202, "\(first)")
        #expect((first.headers["retry-after"].flatMap { Int($0) } ?? 0) > 0)
        laptop.postureAge = 30
        try gate.importDevices([laptop])
        let second = try client.enrol(made, user: credential.userAndPassword)
        #expect(second.status == 200, "\(second)")
        #expect(try gate.issued("LT-E13").count == 1)
    }
}
