import EnrollmentCore
import EnrollmentTesting
import Foundation
import Testing
import TransparencyLog

@testable import Verification

extension VerificationTests {
    /// The same checks without a database.
    @Suite struct ExportTests {
        @Test func everythingButTheTablesIsChecked() async throws {
            let export = try await Export()
            let report = try export.verify()
            #expect(report.isSound, "\(report.text)")
            let skipped = report.lines.filter { $0.verdict.word == "not checked" }.map(\.invariant)
            #expect(skipped == [.l9, .l10, .l13, .manifest])
            for invariant in Invariant.allCases where !skipped.contains(invariant) {
                #expect(report.line(invariant)?.count ?? 0 > 0, "\(invariant)")
            }
            try export.remove()
        }

        @Test func aSignedManifestIsVerified() async throws {
            let export = try await Export()
            try export.sign(with: export.copy.house.signer)
            let line = try export.verify().line(.manifest)
            #expect(line?.verdict == .ok && line?.notes == ["signed"] && line?.count == 6)
            try export.replace("manifest.note", "export\n", "exports\n")
            #expect(try export.verify().violations[.manifest]?.place == "manifest.note")
            try export.remove()
        }

        @Test func aManifestByAnUnknownKeyIsNotChecked() async throws {
            let export = try await Export()
            let key = try NoteSigner(
                name: House.origin + "/export", privateKey: Secret([UInt8](repeating: 5, count: 32)))
            try export.sign(with: key)
            let unknown = try export.verify()
            #expect(
                unknown.line(.manifest)?.verdict
                    == .notChecked("its signature is of no key that was given: --export-key"))
            #expect(unknown.isSound && unknown.line(.log)?.notes == [])
            let known = try export.verify { $0.exporter = key.verifierKey }
            #expect(known.line(.manifest)?.verdict == .ok)
            // Who names the exporter's key takes no other's signature, and not none.
            try export.sign(with: export.copy.house.signer)
            let other = try export.verify { $0.exporter = key.verifierKey }
            #expect(other.violations.keys.sorted() == [.manifest])
            try FileManager.default.removeItem(atPath: export.directory + "/manifest.note")
            let unsigned = try export.verify { $0.exporter = key.verifierKey }
            #expect(unsigned.violations.keys.sorted() == [.manifest])
            try export.remove()
        }

        @Test func privateValuesMayBeLeftOutOnRecord() async throws {
            let export = try await Export()
            // Said, but not done.
            try export.manifest(["private": "left out"])
            #expect(try export.verify().violations.keys.sorted() == [.privacy])
            // Done, but not said; then both.
            try export.leaveOutPrivateValues()
            try export.manifest(["private": "included"])
            #expect(try export.verify().violations.keys.sorted() == [.privacy])
            try export.manifest(["private": "left out"])
            let report = try export.verify()
            #expect(report.isSound, "\(report.text)")
            #expect(
                report.line(.privacy)?.verdict == .notChecked("private values were left out of this export"))
            let note = report.line(.l12)?.notes.first
            #expect(note?.hasSuffix(" not recomputable: private values left out") == true, "\(note ?? "")")
            // The manifest's own words are signed.
            try export.sign(with: export.copy.house.signer)
            #expect(try export.verify().line(.manifest)?.verdict == .ok)
            try export.replace("manifest.json", "left out", "included")
            #expect(try export.verify().violations.keys.sorted() == [.privacy, .manifest])
            // Nothing else is believed more easily.
            try export.replace("manifest.json", "included", "left out")
            try export.replace("entries.jsonl", "device.set", "device.sat")
            #expect(try export.verify().violations.keys.sorted() == [.l8, .manifest])
            try export.replace("manifest.json", "left out", "whatever")
            #expect(throws: VerificationError.self) { try export.verify() }
            try export.remove()
        }

        @Test(arguments: [
            ("entries.jsonl", "device.set", "device.sat", [Invariant.manifest, .l8]),
            (
                "entries.jsonl", "\\\"effect\\\":\\\"permit\\\"", "\\\"effect\\\":\\\"deny\\\"",
                [.manifest, .l3, .l8]
            ),
            ("checkpoints.jsonl", "gate.example", "gate.another", [.manifest, .l11]),
            ("entries.jsonl", "\"value\":\"", "\"value\":\"x", [.manifest, .privacy]),
            ("policies.jsonl", "\"policy_sha256\":\"", "\"policy_sha256\":\"0", []),
        ]) func whatIsChangedIsNoticed(_ file: String, _ old: String, _ new: String, _ broken: [Invariant])
            async throws
        {
            let export = try await Export()
            try export.replace(file, old, new)
            guard !broken.isEmpty else {
                #expect(throws: VerificationError.self) { try export.verify() }
                return try export.remove()
            }
            let violations = try export.verify().violations
            #expect(Set(broken).isSubset(of: violations.keys), "\(violations)")
            if broken.contains(.l8) { #expect(violations[.l8]?.leaf != nil) }
            try export.remove()
        }

        @Test func aLineLeftOutIsNoticed() async throws {
            let export = try await Export()
            let path = export.directory + "/entries.jsonl"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let lines = text.split(separator: "\n").dropLast()
            try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
            let first = try export.verify().violations[.l8]
            #expect(first?.fault == "its entry is not in the export" && first?.leaf != nil)
            try Data(text.utf8).dropLast().write(to: URL(filePath: path))
            #expect(throws: VerificationError.self) { try export.verify() }
            try export.remove()
        }

        /// By a bundle that was in force but briefly, nothing was decided.
        @Test(arguments: ["left out", "another's", "as it was"])
        func aBundleThatWasInForceIsThere(_ change: String) async throws {
            let export = try await Export()
            let activation = try export.copy.value(
                """
                SELECT a.entry_id || ' ' || encode(a.policy_sha256, 'hex') FROM ledger.policy_activation AS a
                WHERE position(encode(a.policy_sha256, 'hex') IN
                  (SELECT string_agg(body, '') FROM ledger.entry WHERE kind = 'decision')) = 0
                """
            ).split(separator: " ").map(String.init)
            let (entry, unused) = (try #require(activation.first), try #require(activation.last))
            let path = export.directory + "/policies.jsonl"
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(lines.count >= 2 && activation.count == 2)
            let changed = lines.flatMap { line -> [String] in
                guard line.contains(unused), change != "as it was" else { return [String(line)] }
                let other = "{\"bundle\":\"AAAA\",\"policy_sha256\":\"\(unused)\"}"
                return change == "left out" ? [] : [other]
            }
            try Data((changed.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: path))
            try export.manifest()
            let violations = try export.verify().violations
            guard change != "as it was" else {
                #expect(violations.isEmpty, "\(violations)")
                return try export.remove()
            }
            #expect(violations.keys.sorted() == [.l12], "\(violations)")
            let first = try #require(violations[.l12])
            #expect(first.place == "policy entry \(entry)" && first.leaf != nil)
            #expect(first.fault == "policy bundle \(unused) is not on record")
            #expect(try export.verify { $0.replays = false }.violations.keys.sorted() == [.l12])
            try export.remove()
        }

        /// One that blocks, and one without end.
        @Test(arguments: ExportManifest.names + ["manifest.json", "manifest.note"])
        func aFileOfAnotherKindIsRefused(_ name: String) async throws {
            let export = try await Export()
            try export.sign(with: export.copy.house.signer)
            let path = export.directory + "/" + name
            for isPipe in [true, false] {
                try FileManager.default.removeItem(atPath: path)
                if isPipe {
                    #expect(mkfifo(path, 0o600) == 0)
                } else {
                    try FileManager.default.createSymbolicLink(
                        atPath: path, withDestinationPath: "/dev/zero")
                }
                #expect(throws: VerificationError.file("\(path) is no regular file")) { try export.verify() }
            }
            try export.remove()
        }

        /// A terabyte of leaves that takes no room.
        @Test(.timeLimit(.minutes(1))) func aHoleIsNotReadThrough() async throws {
            let export = try await Export()
            #expect(truncate(export.directory + "/leaves", 1 << 40) == 0)
            let violations = try export.verify().violations
            #expect(violations.keys.sorted() == [.manifest] && violations[.manifest]?.place == "leaves")
            #expect(truncate(export.directory + "/manifest.json", 1 << 40) == 0)
            let fault = VerificationError.malformed("manifest.json", line: 0, "longer than 1048576 octets")
            #expect(throws: fault) { try export.verify() }
            try export.remove()
        }

        @Test func aLineIsAsLongAsItMayBeAndNoLonger() throws {
            let directory = FileManager.default.temporaryDirectory.path
            let name = UUID().uuidString
            defer { try? FileManager.default.removeItem(atPath: directory + "/" + name) }
            let longest = LineFile.maximumLine
            let lengths = [(longest, true), (longest, false), (longest + 1, true), (5_000_000, false)]
            for (length, isLineBefore) in lengths {
                let before = isLineBefore ? "short\n" : ""
                let line = before + String(repeating: "x", count: length) + "\n"
                try Data(line.utf8).write(to: URL(filePath: directory + "/" + name))
                let file = try LineFile(directory: directory, name: name)
                if isLineBefore { #expect(try file.nextLine()?.count == 5) }
                if length == longest {
                    #expect(try file.nextLine()?.count == longest)
                    #expect(try file.nextLine() == nil)
                } else {
                    let fault = VerificationError.malformed(
                        name, line: isLineBefore ? 2 : 1, "a line longer than 4 MiB")
                    #expect(throws: fault) { try file.nextLine() }
                }
            }
        }
    }
}

/// An export as its format describes it, written by psql.
struct Export {
    let copy: LedgerCopy
    let directory: String

    init() async throws {
        copy = try await LedgerCopy()
        directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try write(
            "leaves",
            hex: "SELECT string_agg(encode(leaf_hash, 'hex'), '' ORDER BY leaf_index) FROM ledger.leaf")
        try write("entries.jsonl", lines: Self.entries)
        try write("absent.jsonl", lines: "SELECT '' WHERE false")
        try write("policies.jsonl", lines: Self.policies)
        try write("certificates.jsonl", lines: Self.certificates)
        try write("checkpoints.jsonl", lines: Self.checkpoints)
        try manifest()
    }

    func verify(_ change: (inout VerificationOptions) -> Void = { _ in }) throws -> VerificationReport {
        var options = VerificationOptions(
            log: copy.house.signer.verifierKey, now: Timestamp(microseconds: 1_700_000_000_000_000))
        change(&options)
        return try Verification(options).run(try ExportEvidence(directory: directory))
    }

    func sign(with signer: NoteSigner) throws {
        let manifest = try Data(contentsOf: URL(filePath: directory + "/manifest.json"))
        let text = "\(House.origin)/export\n\(Digest(of: Array(manifest)))\n"
        let note = SignedNote(text: text, signatures: [try signer.sign(text)])
        try note.encoded.write(toFile: directory + "/manifest.note", atomically: true, encoding: .utf8)
    }

    func replace(_ file: String, _ old: String, _ new: String) throws {
        let path = directory + "/" + file
        let text = try String(contentsOfFile: path, encoding: .utf8)
        try #require(text.contains(old))
        try text.replacing(old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
    }

    func remove() throws {
        try FileManager.default.removeItem(atPath: directory)
        try copy.drop()
    }

    func leaveOutPrivateValues() throws {
        let path = directory + "/entries.jsonl"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { line in
            guard let start = line.range(of: ",\"private\":["),
                let end = line.range(of: "}],\"recorded_at\"")
            else { return String(line) }
            return line[..<start.lowerBound] + ",\"recorded_at\"" + line[end.upperBound...]
        }
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }

    func manifest(_ further: [String: JSONValue] = [:]) throws {
        var files: [String: JSONValue] = [:]
        for name in ExportManifest.names {
            let octets = Array(try Data(contentsOf: URL(filePath: directory + "/" + name)))
            files[name] = [
                "octets": .integer(Int64(octets.count)), "sha256": .string(Digest(of: octets).description),
            ]
        }
        let head = try copy.value(
            "SELECT tree_size || ' ' || encode(root_hash, 'hex') FROM ledger.tree_head ORDER BY tree_size DESC LIMIT 1"
        ).split(separator: " ")
        let members: [String: JSONValue] = [
            "format": .string(ExportManifest.format), "origin": .string(House.origin),
            "files": .object(files),
            "entries": .integer(Int64(head[0]) ?? 0), "tree_size": .integer(Int64(head[0]) ?? 0),
            "root_sha256": .string(String(head[1])), "exported_at": "2026-01-01T00:00:00.000000Z",
        ]
        let manifest = JSONValue.object(members.merging(further) { $1 })
        try (manifest.canonicalText + "\n").write(
            toFile: directory + "/manifest.json", atomically: true, encoding: .utf8)
    }

    private func write(_ name: String, lines sql: String) throws {
        let text = try copy.value(sql)
        try Data((text.isEmpty ? "" : text + "\n").utf8).write(to: URL(filePath: directory + "/" + name))
    }

    private func write(_ name: String, hex sql: String) throws {
        let octets = try #require(Hex.decode(try copy.value(sql)))
        try Data(octets).write(to: URL(filePath: directory + "/" + name))
    }

    private static let entries = """
        SELECT '{"body":' || to_json(e.body) || ',"entry_id":"' || e.entry_id || '","kind":"' || e.kind
          || '","leaf_index":' || l.leaf_index
          || coalesce(',"private":' || (SELECT '[' || string_agg('{"salt":"' || encode(p.salt, 'hex') || '","value":'
               || to_json(p.value) || '}', ',') || ']' FROM ledger.private_value AS p
               WHERE position(encode(p.commitment, 'hex') IN e.body) > 0), '')
          || ',"recorded_at":"' || ledger.time_text(e.recorded_at) || '"'
          || coalesce(',"request_id":"' || e.request_id || '"', '') || ',"writer":"' || e.writer || '"}'
        FROM ledger.entry AS e JOIN ledger.leaf AS l USING (entry_id)
        ORDER BY e.request_id NULLS LAST, e.entry_id
        """
    private static let policies = """
        SELECT '{"bundle":"' || translate(encode(bundle, 'base64'), E'\\n', '') || '","policy_sha256":"'
          || encode(policy_sha256, 'hex') || '"}' FROM ledger.policy_version
        """
    private static let certificates = """
        SELECT '{' || coalesce('"certificate":"' || translate(encode(c.der, 'base64'), E'\\n', '') || '",', '')
          || '"request_id":"' || r.request_id || '","tbs":"' || translate(encode(r.tbs, 'base64'), E'\\n', '') || '"}'
        FROM ledger.reservation AS r LEFT JOIN ledger.certificate AS c USING (request_id)
        ORDER BY r.request_id
        """
    private static let checkpoints = """
        SELECT '{"note":' || to_json(note) || ',"tree_size":' || tree_size || '}' FROM ledger.checkpoint
        ORDER BY tree_size
        """
}
