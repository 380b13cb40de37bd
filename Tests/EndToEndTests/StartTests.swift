import Foundation
import Glibc
import Testing

/// What `up` finds wrong when it starts: mended by itself, or refused with a remedy and nothing left running.
@Suite struct StartTests {
    /// A power cut leaves a postmaster.pid. Its number may be nobody's by now, or another program's.
    @Test func leftoverOfADeadPostgres() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        try gate.importDevices([.laptop("LT-ST1")])
        let file = "\(gate.state)/postgres/postmaster.pid"

        try cutPower(gate)
        let number = try #require(Self.firstLine(file))
        #expect(Glibc.kill(number, 0) != 0, "nobody's")
        try gate.up()
        #expect(gate.postmaster != nil && gate.postmaster != number)

        try cutPower(gate)
        let stranger = try Tool.start("sleep", ["600"], in: try gate.folder("stranger"))
        defer {
            stranger.signal(SIGKILL)
            _ = stranger.wait(within: 5)
        }
        try Self.renumber(file, to: stranger.process)
        try gate.up()
        #expect(gate.postmaster != nil && gate.postmaster != stranger.process)
        #expect(stranger.wait(within: 0) == nil, "the other program is left alone")

        let devices = try gate.command(["device", "list"])
        #expect(devices.output.contains("LT-ST1"), "\(devices)")
        #expect(try gate.stop() == 0)
        #expect(gate.runningProcesses == [])
    }

    /// A state that was moved, or copied from a backup, goes on at its new place.
    @Test func movedState() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        try gate.importDevices([.laptop("LT-ST2")])
        try gate.stop()
        let moved = gate.directory.file("it's moved")
        try FileManager.default.moveItem(atPath: gate.state, toPath: moved)
        let arguments = gate.upArguments.map { $0 == gate.state ? moved : $0 }
        let program = try Tool.start(Gate.binary, arguments, in: try gate.folder("moved"))
        defer {
            program.signal(SIGKILL)
            try? FileManager.default.moveItem(atPath: moved, toPath: gate.state)
        }
        let endpoints = "\(moved)/run/endpoints.json"
        try waitUntil("ready: \(program.messages)", within: 30) { !Data.contents(endpoints).isEmpty }
        let devices = try gate.command(["device", "list", "--state", moved], withState: false)
        #expect(devices.output.contains("LT-ST2"), "\(devices)")
        program.signal(SIGINT)
        #expect(program.wait(within: 40) == 0)
    }

    /// A directory of somebody else's could hold planted keys; it is refused before anything is made in it.
    @Test func stateOfSomebodyElse() throws {
        let gate = try Gate()
        defer { gate.remove() }
        try FileManager.default.createDirectory(atPath: gate.state, withIntermediateDirectories: true)
        let planted = "\(gate.state)/gatehouse.yaml"
        try Data("version: 1\n".utf8).write(to: URL(fileURLWithPath: planted))
        // Only root can give a directory away; others have root's own for it.
        let isRoot = geteuid() == 0
        if isRoot { try #require(chown(gate.state, 65_534, 65_534) == 0) }
        let state = isRoot ? gate.state : "/usr"
        let refused = try start(gate, state: state)
        #expect(refused.status == 5, "\(refused)")
        #expect(refused.messages.contains("cannot use \(state) as state: it is not "), "\(refused)")
        #expect(refused.messages.contains("remedy: choose another --state directory"), "\(refused)")
        #expect(refused.output.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: gate.state) == ["gatehouse.yaml"])
        #expect(gate.runningProcesses == [])
    }

    /// Keys that others could read or write, and a state that others could write to: named, not repaired, for
    /// the keys may be known by now.
    @Test func stateOpenToOthers() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        try gate.stop()
        let keys = ["secrets/credential-master-1.key", "pki/issuing.key", "pki/scep-ra.key"]
        for (key, mode) in zip(keys, [0o644, 0o640, 0o602] as [mode_t]) {
            let path = "\(gate.state)/\(key)"
            try #require(chmod(path, mode) == 0)
            let refused = try start(gate)
            #expect(refused.status == 3, "\(refused)")
            #expect(refused.messages.contains("\(path) can be read by others than its owner"), "\(refused)")
            #expect(refused.messages.contains("remedy: chmod 600 it"), "\(refused)")
            expectNothingRuns(gate)
            try #require(chmod(path, 0o600) == 0)
        }
        try #require(chmod(gate.state, 0o777) == 0)
        let refused = try start(gate)
        #expect(refused.status == 5, "\(refused)")
        #expect(refused.messages.contains("cannot use \(gate.state) as state"), "\(refused)")
        expectNothingRuns(gate)
        try #require(chmod(gate.state, 0o700) == 0)
        try gate.up()
    }

    /// Something else listens already: said which option to change, and the database goes down again.
    @Test func portInUse() throws {
        let other = try Gate.shared().endpoints
        let gate = try Gate()
        defer { gate.remove() }
        for (option, url) in [
            ("--tls-port", other.tls), ("--http-port", other.http), ("--admin-port", other.admin),
        ] {
            let port = try #require(URL(string: url)?.port)
            let refused = try start(gate, changing: option, to: "\(port)")
            #expect(refused.status == 5, "\(refused)")
            #expect(
                refused.messages.contains("something else listens on 127.0.0.1:\(port)"), "\(refused)")
            #expect(refused.messages.contains("name another with \(option)"), "\(refused)")
            #expect(!refused.output.contains("http"), "no welcome: \(refused)")
            expectNothingRuns(gate)
        }
        try gate.up()
        #expect(try gate.command(["device", "list"]).status == 0)
    }

    /// Runs `up` to its end, which it is to find by itself.
    private func start(
        _ gate: Gate, state: String? = nil, changing option: String? = nil, to value: String = ""
    ) throws -> Finished {
        var arguments = gate.upArguments
        if let state, let place = arguments.firstIndex(of: "--state") { arguments[place + 1] = state }
        if let option, let place = arguments.firstIndex(of: option) { arguments[place + 1] = value }
        return try Tool.run(Gate.binary, arguments, in: gate.folder("start"), within: 60)
    }

    private func expectNothingRuns(_ gate: Gate, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(gate.postmaster == nil, sourceLocation: sourceLocation)
        #expect(gate.runningProcesses == [], sourceLocation: sourceLocation)
        let endpoints = "\(gate.state)/run/endpoints.json"
        #expect(!FileManager.default.fileExists(atPath: endpoints), sourceLocation: sourceLocation)
    }

    /// Ends gateway and database as if the plug had been pulled; their files stay as they are.
    private func cutPower(_ gate: Gate) throws {
        let postmaster = try #require(gate.postmaster)
        gate.kill()
        Glibc.kill(postmaster, SIGKILL)
        for _ in 0..<1_000 where !gate.runningProcesses.isEmpty || Glibc.kill(postmaster, 0) == 0 {
            usleep(10_000)
        }
        #expect(gate.runningProcesses == [])
    }

    private static func firstLine(_ file: String) -> pid_t? {
        String(decoding: Data.contents(file), as: UTF8.self).split(separator: "\n").first
            .flatMap { pid_t($0) }
    }

    /// Puts another number into a postmaster.pid, which stays its owner's.
    private static func renumber(_ file: String, to process: pid_t) throws {
        var lines = String(decoding: Data.contents(file), as: UTF8.self).components(separatedBy: "\n")
        lines[0] = "\(process)"
        let handle = try #require(FileHandle(forWritingAtPath: file))
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(lines.joined(separator: "\n").utf8))
        try handle.close()
    }
}

extension Gate {
    /// Command lines of processes at work for this gate: those that name its state, and what PostgreSQL
    /// forked off, which runs in its data directory.
    var runningProcesses: [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.filter { Int32($0) != nil }.compactMap { entry in
            let line = String(decoding: Data.contents("/proc/\(entry)/cmdline"), as: UTF8.self)
            let directory = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(entry)/cwd")
            guard line.contains(state) || directory?.hasPrefix(state) == true else { return nil }
            return line.replacingOccurrences(of: "\0", with: " ")
        }
    }
}
