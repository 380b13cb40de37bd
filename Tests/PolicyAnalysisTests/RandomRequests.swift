import EnrollmentCore
import Policy

@testable import PolicyAnalysis

/// Makes requests for laptops whose facts have nothing to do with how analysis splits them.
struct RandomRequests {
    var numbers: SeededNumbers

    private static let texts = [
        "x", "LT-7", "LT-19", "LT-9", "LT", "9", "a", "host.corp", "LT-7-7", "b9", "-7",
    ]

    mutating func sketch() -> RequestSketch {
        var sketch = RequestSketch(
            service: TestBundle.service, profile: TestBundle.profile,
            enrollmentProtocol: numbers.pick([.scep, .est, .acme]),
            keyAlgorithm: numbers.pick([.p256, .p384, .rsa2048]))
        sketch.operation = numbers.pick([.enroll, .renew, .rekey])
        sketch.hasCertificate = sketch.operation != .enroll || numbers.chance(30)
        sketch.hasCredential = !sketch.hasCertificate || numbers.chance(50)
        sketch.deviceID = numbers.pick(Self.texts)
        sketch.serial = numbers.chance(80) ? numbers.pick(Self.texts) : nil
        sketch.udid = numbers.chance(50) ? sketch.serial : numbers.pick(Self.texts)
        sketch.groups = some(["a", "b", "c", "d"])
        sketch.deviceDNS = some(["one.example", "two.example", "three.example"])
        sketch.requestDNS = some(["one.example", "two.example", "four.example"])
        sketch.commonName = numbers.chance(30) ? sketch.deviceID : numbers.chance(30) ? "elsewhere" : nil
        sketch.domainControlAge = numbers.chance(60) ? numbers.pick([0, 3_600, 3_601, 80_000]) : nil
        sketch.activeCertificates = Int64.random(in: 0...12, using: &numbers)
        sketch.failedAttempts = Int64.random(in: 0...5, using: &numbers)
        sketch.validity = numbers.chance(50) ? numbers.pick([1, 86_400, 86_401, 9_000_000]) : nil
        sketch.clientAddress = numbers.pick([
            "10.1.2.3", "10.2.0.0", "9.255.255.255", "11.0.0.0", "2001:db8::9", "2001:db9::",
            "::ffff:10.1.0.1",
        ])
        sketch.posture = ["intune", "jamf", "other"].filter { _ in numbers.chance(50) }.map { fact($0) }
        sketch.approvals = ["os:ann", "os:bob", "os:eve"].filter { _ in numbers.chance(50) }.map { word($0) }
        sketch.mintedBy = numbers.chance(40) ? "os:ann" : nil
        return sketch
    }

    private mutating func some(_ values: [String]) -> [String] {
        values.filter { _ in numbers.chance(40) }
    }

    private mutating func fact(_ source: String) -> RequestSketch.Posture {
        RequestSketch.Posture(
            source: source, status: numbers.pick(PostureStatus.allCases),
            jailbroken: numbers.pick([true, false, false, nil]),
            age: numbers.pick([0, 100, 3_600, 3_601, 14_400, 14_401, 99_999, -1, nil]))
    }

    private mutating func word(_ person: String) -> RequestSketch.Word {
        RequestSketch.Word(
            approver: person, verdict: numbers.chance(80) ? .approve : .deny,
            age: numbers.pick([0, 60, 86_400, 86_401]))
    }
}
