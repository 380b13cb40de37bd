import EnrollmentCore
import EnrollmentTesting
import Ledger
import Sequencing
import Synchronization
import Testing
import TransparencyLog

/// Cosignatures of a witness that is another program.
struct WitnessTests {
    private let folder: TemporaryFolder
    private let fixture: SequencingFixture

    init() async throws {
        folder = try TemporaryFolder()
        fixture = try await SequencingFixture()
    }

    private func client(_ process: WitnessProcess, key: NoteVerifierKey? = nil) -> WitnessClient {
        WitnessClient(
            key: key ?? process.key, prefix: process.prefix, transport: SocketTransport(),
            tiles: fixture.tiles, logger: SequencingFixture.quiet)
    }

    private func client(of witness: NoteSigner, _ transport: any WitnessTransport) -> WitnessClient {
        WitnessClient(
            key: witness.cosignerKey, prefix: "http://\(witness.cosignerKey.name)", transport: transport,
            tiles: fixture.tiles, logger: SequencingFixture.quiet)
    }

    /// The key of a witness whose answers are written out.
    private func signer(_ name: String = "w.example", seed: UInt8 = 3) throws -> NoteSigner {
        try NoteSigner(name: name, privateKey: Secret([UInt8](repeating: seed, count: 32)))
    }

    private func checkpoint(after entries: Int) async throws -> SignedNote {
        try fixture.addEntries(entries)
        let sequencer = fixture.sequencer("one of many")
        _ = try await sequencer.step()
        await sequencer.resign()
        return try required(try await fixture.log.latestCheckpoint()).signedNote()
    }

    @Test func aWitnessCosignsAsTheLogGrows() async throws {
        let process = try WitnessProcess(
            folder: folder.path, name: "witness.example", log: fixture.signer.verifierKey)
        let witness = client(process)
        var size: Int64 = 0
        for entries in [1, 2, 400, 256, 1] {
            size += Int64(entries)
            let note = try await checkpoint(after: entries)
            let line = try await witness.cosign(note, size: size)
            let cosigned = SignedNote(text: note.text, signatures: note.signatures + [line])
            #expect(process.key.cosignatureTime(in: cosigned) ?? 0 > 1_700_000_000)
            // The same again is fine, and a client that has forgotten everything is told where to begin.
            _ = try await witness.cosign(note, size: size)
            _ = try await client(process).cosign(note, size: size)
        }
    }

    @Test func aForkIsNotCosigned() async throws {
        let process = try WitnessProcess(
            folder: folder.path, name: "witness.example", log: fixture.signer.verifierKey)
        let witness = client(process)
        _ = try await witness.cosign(try await checkpoint(after: 5), size: 5)
        for size in [Int64(5), 9] {
            if size == 9 { _ = try await checkpoint(after: 4) }
            let text = Checkpoint(origin: SequencingFixture.origin, size: size, root: MerkleHash.empty).text
            let fork = SignedNote(text: text, signatures: [try fixture.signer.sign(text)])
            await #expect(throws: WitnessError.self) { try await witness.cosign(fork, size: size) }
        }
        let strangers = try NoteSigner(
            name: SequencingFixture.origin, privateKey: Secret([UInt8](repeating: 9, count: 32)))
        let text = try required(try await fixture.log.latestCheckpoint()).signedNote().text
        let forged = SignedNote(text: text, signatures: [try strangers.sign(text)])
        await #expect(throws: WitnessError.self) { try await witness.cosign(forged, size: 9) }
    }

    @Test func theSequencerStoresWhatItVerified() async throws {
        let process = try WitnessProcess(
            folder: folder.path, name: "witness.example", log: fixture.signer.verifierKey)
        let stranger = try NoteSigner(
            name: "witness.example", privateKey: Secret([UInt8](repeating: 3, count: 32)))
        let honest = client(process)
        let wrongKey = client(process, key: stranger.cosignerKey)
        let sequencer = fixture.sequencer("a", witnesses: [wrongKey, honest])
        try fixture.addEntries(3)
        _ = try await sequencer.step()
        await sequencer.cosign()
        await sequencer.cosign()
        let stored = try required(try await fixture.log.checkpoint(atLeast: 3, cosignatures: 1))
        #expect(stored.cosignatures.count == 1)
        #expect(try process.key.cosignatureTime(in: stored.signedNote()) != nil)
        #expect(try stranger.cosignerKey.cosignatureTime(in: stored.signedNote()) == nil)
        #expect(try fixture.signer.verifierKey.verify(stored.signedNote()))
    }

    /// Whoever is slow, or never answers, keeps nobody else from cosigning.
    @Test func aWitnessThatHangsHoldsNobodyUp() async throws {
        let process = try WitnessProcess(
            folder: folder.path, name: "witness.example", log: fixture.signer.verifierKey)
        let silent = try signer("silent")
        let hanging = client(of: silent, HangingTransport())
        var pace = SequencingFixture.patient
        pace.publishing = .milliseconds(100)
        let sequencer = fixture.sequencer("a", witnesses: [hanging, client(process)], pace: pace)
        let running = Task { try await sequencer.run() }
        for size in [3, 6, 9] {
            try fixture.addEntries(3)
            let isCosigned = try await eventually(within: .seconds(60)) {
                try await fixture.log.checkpoint(atLeast: Int64(size), cosignatures: 1) != nil
            }
            #expect(isCosigned, "\(size)")
        }
        #expect(await hanging.status?.size == 0)
        // And it ends though one of them is still being asked.
        running.cancel()
        try await running.value
    }

    /// What says that there is another history is told from what says nothing of it.
    @Test(arguments: [
        (409, "8\n", 0, true), (409, "7\n", 7, true), (409, "", 7, true), (422, "", 5, true),
        (422, "", 7, true), (422, "", 0, false), (409, "0\n", 0, false),
        (409, "5\n", 5, false), (409, "", 5, false), (500, "", 5, false), (403, "unknown log\n", 0, false),
    ])
    func anotherHistoryIsToldFromAFault(
        status: Int, body: String, seen: Int64, isContradiction: Bool
    ) async throws {
        let witness = try signer()
        let note = try await checkpoint(after: 7)
        let cosigned = try witness.cosign(note.text, at: 1_800_000_000).line + "\n"
        // First it is told where to begin.
        let transport = ScriptedTransport { request in
            let old = String(decoding: request.prefix { $0 != 10 }, as: UTF8.self)
            if seen == 7, old == "old 0" { return WitnessResponse(status: 200, body: Array(cosigned.utf8)) }
            if old == "old \(seen)" { return WitnessResponse(status: status, body: Array(body.utf8)) }
            return WitnessResponse(status: 409, body: Array("\(seen)\n".utf8))
        }
        let client = client(of: witness, transport)
        let sequencer = fixture.sequencer("a", witnesses: [client])
        #expect(try await sequencer.step() == .appended(0))
        if seen == 7 { _ = try await client.cosign(note, size: 7) }
        await sequencer.cosign()
        #expect(
            await client.status
                == WitnessStatus(name: "w.example", isContradicting: isContradiction))
        #expect(try await fixture.log.checkpoint(atLeast: 7, cosignatures: 1) == nil)
    }

    /// A contradiction stands until the witness cosigns, or another leads and asks it.
    @Test func aContradictionIsNotForgotten() async throws {
        let witness = try signer()
        let another = WitnessResponse(status: 409, body: Array("99\n".utf8))
        let answer = Mutex(another)
        let asked = Mutex<[String]>([])
        let transport = ScriptedTransport { request in
            asked.withLock { $0.append(String(decoding: request.prefix { $0 != 10 }, as: UTF8.self)) }
            return answer.withLock { $0 }
        }
        func client() -> WitnessClient {
            self.client(of: witness, transport)
        }
        let first = client()
        let sequencer = fixture.sequencer("a", witnesses: [first])
        try fixture.addEntries(7)
        #expect(try await sequencer.step() == .appended(7))
        await sequencer.cosign()
        #expect(await first.status?.isContradicting == true)
        answer.withLock { $0 = WitnessResponse(status: 500, body: []) }
        try await askAgain(sequencer) { asked.withLock(\.count) == 2 }
        #expect(await first.status?.isContradicting == true, "nothing was taken back")
        let note = try required(try await fixture.log.latestCheckpoint()).signedNote()
        let line = try witness.cosign(note.text, at: 1_800_000_000).line + "\n"
        answer.withLock { $0 = WitnessResponse(status: 200, body: Array(line.utf8)) }
        try await askAgain(sequencer) { asked.withLock(\.count) == 3 }
        #expect(await first.status == WitnessStatus(name: "w.example", size: 7))

        // Who leads after it goes on from there, and forgets what it was told when it leads no more.
        await sequencer.resign()
        answer.withLock { $0 = another }
        let second = client()
        let next = fixture.sequencer("b", witnesses: [second])
        try fixture.addEntries(2)
        #expect(try await next.step() == .appended(2))
        await next.cosign()
        #expect(asked.withLock { $0 } == ["old 0", "old 0", "old 0", "old 7"])
        let contradicting = WitnessStatus(name: "w.example", size: 7, isContradicting: true)
        #expect(await second.status == contradicting)
        await next.resign()
        await next.cosign()
        #expect(await second.status == contradicting, "nobody else leads yet")
        #expect(try await sequencer.step() == .appended(0))
        #expect(try await next.step() == .following)
        await next.cosign()
        #expect(await second.status == nil)
    }

    /// Who asks late is told of more than it knew, by a log that has it.
    @Test func whatAnotherLeaderHadCosignedIsNoContradiction() async throws {
        let witness = try signer()
        let early = try await checkpoint(after: 3)
        let stored = try required(try await fixture.log.latestCheckpoint())
        _ = try await checkpoint(after: 4)
        #expect(early.text != (try required(try await fixture.log.latestCheckpoint()).signedNote().text))
        for (told, isContradiction) in [("7\n", false), ("8\n", true)] {
            let client = client(
                of: witness, ScriptedTransport { _ in WitnessResponse(status: 409, body: Array(told.utf8)) })
            await client.cosign(stored, in: fixture.postgresLog("a"), epoch: 1)
            #expect(await client.status?.isContradicting == isContradiction, "\(told)")
        }
    }

    /// Two that take their time, and began at different times, still cosign the same checkpoints.
    @Test func witnessesOutOfStepMeet() async throws {
        let witnesses = try [3, 4].map { try signer("w\($0)", seed: $0) }
        var pace = SequencingFixture.patient
        (pace.publishing, pace.extending) = (.milliseconds(100), .milliseconds(50))
        let clients = zip(witnesses, [150, 230]).map { witness, delay in
            client(of: witness, SlowTransport(signer: witness, delay: .milliseconds(delay)))
        }
        let sequencer = fixture.sequencer("a", witnesses: clients, pace: pace)
        let running = Task { try await sequencer.run() }
        for size in 1...20 {
            try fixture.addEntries(1)
            try await Task.sleep(for: .milliseconds(100))
            if size == 20 { #expect(try fixture.count("checkpoint") > 3) }
        }
        let counts = try fixture.cluster.superuser(
            "SELECT count(*) FROM ledger.cosignature GROUP BY tree_size ORDER BY tree_size",
            database: fixture.database
        ).split(separator: "\n")
        running.cancel()
        try await running.value
        // The last round may have been under way.
        #expect(counts.count > 1 && counts.dropLast().allSatisfy { $0 == "2" }, "\(counts)")
    }

    /// Who failed is left alone for some seconds.
    private func askAgain(_ sequencer: Sequencer, _ isAsked: () -> Bool) async throws {
        let wasAsked = try await eventually(within: .seconds(60)) {
            await sequencer.cosign()
            return isAsked()
        }
        #expect(wasAsked)
    }

    @Test func answersThatAreNoneAreRefused() async throws {
        let note = try await checkpoint(after: 7)
        let witness = try signer()
        let early = Checkpoint(origin: SequencingFixture.origin, size: 6, root: MerkleHash.empty).text
        let answers: [(Int, String)] = [
            (200, ""), (200, "— w.example AAAAAAAA\n"), (200, try witness.sign(note.text).line + "\n"),
            (200, try witness.cosign(early, at: 1_800_000_000).line + "\n"),
            (409, ""), (409, "x\n"), (409, "8\n"), (409, "-1\n"), (409, "0\n"), (409, "07\n"), (409, "+3\n"),
            (403, ""), (422, ""), (500, "sorry"),
        ]
        for (status, body) in answers {
            let transport = ScriptedTransport { _ in WitnessResponse(status: status, body: Array(body.utf8)) }
            let client = client(of: witness, transport)
            await #expect(throws: WitnessError.self, "\(status) \(body)") {
                try await client.cosign(note, size: 7)
            }
        }
        let restless = ScriptedTransport { request in
            let old = request.dropFirst(4).first == UInt8(ascii: "3") ? "4\n" : "3\n"
            return WitnessResponse(status: 409, body: Array(old.utf8))
        }
        let client = client(of: witness, restless)
        await #expect(throws: WitnessError.refused("the witness w.example does not settle on a size")) {
            try await client.cosign(note, size: 7)
        }
    }
}
