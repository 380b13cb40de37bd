import Foundation
import Glibc
import Testing

/// `up` from first start to last stop.
@Suite struct LifecycleTests {
    /// A clean stop finishes the request in flight and leaves no process; the next start finds all again.
    @Test func stopAndStartAgain() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        let folder = try gate.folder("in-flight")
        let laptop = TestDevice.laptop("LT-L01")
        try gate.importDevices([laptop])
        let client = EST(gate, folder)
        let made = try Judge.request(subject: "/CN=LT-L01", in: folder)
        let credential = try gate.mint("laptops", "LT-L01", "est")
        let slow = """
            (head -c 100 "$0"; sleep 2; tail -c +101 "$0") | curl -sS --max-time 30 -o answer \
                -w '%{http_code}' -X POST -T - -H 'Content-Type: application/pkcs10' -u "$1" --cacert "$2" "$3"
            """
        let request = try Tool.start(
            "/bin/sh",
            ["-c", slow, made.base64, credential.userAndPassword, gate.root, try client.url("simpleenroll")],
            in: folder)
        usleep(1_000_000)
        let gateway = try gate.endpoints.process
        #expect(try gate.stop() == 0)
        #expect(try request.finish(within: 30).output == "200")
        #expect(gate.postmaster == nil)
        #expect(Glibc.kill(gateway, 0) != 0)
        #expect(processes(naming: gate.state) == [])
        let root = Data.contents(gate.root)

        // Nothing answers now, and the command line says so in its way.
        let down = try gate.command(["device", "list"])
        #expect(down.status == 5, "\(down)")

        let taken = try gate.up()
        #expect(taken < .seconds(5), "ready after \(taken)")
        #expect(Data.contents(gate.root) == root)
        #expect(try gate.issued("LT-L01").count == 1)
        // The same request is answered with the same certificate.
        let again = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        #expect(again.status == 200, "\(again)")
        #expect(again.body == Data.contents(folder.file("answer")))
        #expect(try gate.issued("LT-L01").count == 1)
    }

    /// Two gates side by side; a second one on the same state is refused and harms nothing.
    @Test func oneGateAState() throws {
        let shared = try Gate.shared()
        let gate = try Gate.start()
        defer { gate.remove() }
        #expect(try gate.endpoints.process != shared.endpoints.process)
        let second = try Tool.run(Gate.binary, gate.upArguments, in: gate.folder("second"), within: 30)
        #expect(second.status == 5)
        #expect(second.messages.contains("another gatehouse is running on this state"), "\(second)")
        #expect(try gate.command(["device", "list"]).status == 0)
        #expect(Data.contents(shared.root) != Data.contents(gate.root))
    }

    /// After kill −9 the next start takes the database over as it runs.
    @Test func killed() throws {
        let gate = try Gate.start()
        defer { gate.remove() }
        try gate.importDevices([.laptop("LT-L02")])
        let postmaster = try #require(gate.postmaster)
        gate.kill()
        #expect(gate.postmaster == postmaster)
        try gate.up()
        #expect(gate.postmaster == postmaster)
        let folder = try gate.folder("after")
        let made = try Judge.request(subject: "/CN=LT-L02", in: folder)
        let credential = try gate.mint("laptops", "LT-L02", "est")
        let answer = try EST(gate, folder).enrol(made, user: credential.userAndPassword)
        #expect(answer.status == 200, "\(answer)")
        #expect(try gate.stop() == 0)
        #expect(gate.postmaster == nil)
        #expect(processes(naming: gate.state) == [])
    }

    /// Nothing of a gate runs as root.
    @Test func nothingRunsAsRoot() throws {
        let gate = try Gate.shared()
        for process in [try gate.endpoints.process, try #require(gate.postmaster)] {
            let status = String(decoding: Data.contents("/proc/\(process)/status"), as: UTF8.self)
            let users = try #require(status.split(separator: "\n").first { $0.hasPrefix("Uid:") })
            #expect(!users.split(separator: "\t").dropFirst().contains("0"))
        }
    }

    @Test(arguments: ["livez", "readyz", "metrics"])
    func administration(path: String) throws {
        let gate = try Gate.shared()
        let answer = try EST(gate, try gate.folder(path)).curl(["\(try gate.endpoints.admin)/\(path)"])
        #expect(answer.status == 200, "\(answer)")
    }

    /// Command lines of running processes in which a path occurs.
    private func processes(naming path: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.filter { Int32($0) != nil }.compactMap { entry in
            let line = String(decoding: Data.contents("/proc/\(entry)/cmdline"), as: UTF8.self)
            return line.contains(path) ? line.replacingOccurrences(of: "\0", with: " ") : nil
        }
    }
}
