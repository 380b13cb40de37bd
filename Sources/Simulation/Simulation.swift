import EnrollmentCore
package import Policy

/// Replays recorded requests against a candidate bundle and compares its answers with the recorded ones.
///
/// The facts are the recorded ones too: what a candidate that refuses more would have done to a device's
/// later requests (fewer live certificates, no certificate to renew with) is not followed.
package struct Simulation: Sendable {
    private let engine: PolicyEngine

    /// - Parameter candidate: a bundle that loaded.
    package init(candidate: PolicyBundle) { engine = PolicyEngine(bundle: candidate) }

    /// Replays everything that `next` gives, on several cores.
    ///
    /// - Parameters:
    ///   - workers: how many batches are replayed at the same time, at least one.
    ///   - next: the next batch, nil after the last; called on the caller's own thread.
    ///   - progress: told how many records are done.
    package func run(
        workers: Int, next: () throws -> RecordBatch?, progress: (Int) -> Void
    ) async throws -> SimulationReport {
        var report = SimulationReport()
        var done = 0
        try await withThrowingTaskGroup(of: SimulationReport.self) { group in
            func take(_ part: SimulationReport) {
                report.merge(part)
                done += part.total
                progress(done)
            }
            var running = 0
            while let batch = try next() {
                if running >= max(1, workers), let part = try await group.next() {
                    take(part)
                    running -= 1
                }
                group.addTask { replay(batch) }
                running += 1
            }
            for try await part in group { take(part) }
        }
        return report
    }

    /// Replays one batch.
    package func replay(_ batch: RecordBatch) -> SimulationReport {
        var report = SimulationReport()
        switch batch.content {
        case .documents(let all):
            for (offset, documents) in all.enumerated() {
                do throws(RecordError) {
                    try replay(documents, &report)
                } catch { report.count(unreadable: batch.first + offset, error) }
            }
        case .lines(let text, let lines):
            for (offset, line) in lines.enumerated() where !Self.isBlank(text[line]) {
                do throws(RecordError) {
                    try replay(line: RecordReader(text, line), &report)
                } catch {
                    let inLine = RecordError(error.reason, at: max(0, error.offset - line.lowerBound))
                    report.count(unreadable: batch.first + offset, inLine)
                }
            }
        }
        return report
    }

    private static func isBlank(_ line: ArraySlice<UInt8>) -> Bool {
        line.allSatisfy { $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }
    }

    private func replay(_ documents: RecordBatch.Documents, _ report: inout SimulationReport)
        throws(RecordError)
    {
        let request = try Self.whole(documents.request) { reader throws(RecordError) in
            try RecordedRequest(&reader)
        }
        let decision = try Self.whole(documents.decision) { reader throws(RecordError) in
            try RecordedDecision(&reader)
        }
        try compare(request, decision, &report)
    }

    private enum LineMember: String, CaseIterable {
        case decision, request
        static let all = MemberNames<LineMember>()
    }

    /// A line `{"decision":…,"request":…}`, each document as an object or as text in a string.
    private func replay(line: RecordReader, _ report: inout SimulationReport) throws(RecordError) {
        var line = line
        var request: RecordedRequest?
        var decision: RecordedDecision?
        try line.object(LineMember.all) { reader, member throws(RecordError) in
            switch member {
            case .decision:
                decision = try Self.embedded(&reader) { reader throws(RecordError) in
                    try RecordedDecision(&reader)
                }
            case .request:
                request = try Self.embedded(&reader) { reader throws(RecordError) in
                    try RecordedRequest(&reader)
                }
            }
        }
        try line.finish()
        try compare(line.required(request, "request"), line.required(decision, "decision"), &report)
    }

    private static func embedded<Document>(
        _ reader: inout RecordReader, _ read: (inout RecordReader) throws(RecordError) -> Document
    ) throws(RecordError) -> Document {
        guard reader.isAtString() else { return try read(&reader) }
        return try whole(try reader.stringOctets(), read)
    }

    private static func whole<Document>(
        _ octets: [UInt8], _ read: (inout RecordReader) throws(RecordError) -> Document
    ) throws(RecordError) -> Document {
        var reader = RecordReader(octets)
        let document = try read(&reader)
        try reader.finish()
        return document
    }

    private func compare(
        _ request: RecordedRequest, _ recorded: RecordedDecision, _ report: inout SimulationReport
    ) throws(RecordError) {
        guard request.kind != .refusal, recorded.decidedBy == .policy else {
            return report.count(
                notByPolicy: recorded.decidedBy == .policy ? .registration : recorded.decidedBy)
        }
        guard let input = request.input, let decision = engine.answer(input, request.kind) else {
            throw RecordError("the member input is missing", at: 0)
        }
        let change = Comparison(
            recorded: recorded, decision: decision, isOfCertificate: request.kind != .bind
        ).change
        guard change != .unchanged else { return report.countUnchanged() }
        guard let id = RequestID(request.id) else { throw RecordError("a request id is needed", at: 0) }
        let grant: Grant?
        switch decision.outcome {
        case .permit(let granted): grant = granted
        case .defer, .deny: grant = nil
        }
        let validity = request.kind == .bind ? nil : grant?.maximumNotAfter.seconds(since: input.instant)
        let before = request.kind == .bind ? nil : recorded.maximumNotAfter?.seconds(since: input.instant)
        report.count(
            SimulationReport.Group.Key(
                change: change, owner: decision.owner.team, reasonCode: decision.reasonCode,
                ruleIDs: decision.ruleIDs, profile: grant?.profile.name.rawValue),
            example: id, recordedValidity: before, candidateValidity: validity)
    }
}

extension PolicyEngine {
    /// The answer to the question that a recorded request stands for; nil for a refusal, which asked none.
    func answer(_ input: consuming PolicyInput, _ kind: RecordedRequest.Kind) -> Decision? {
        switch kind {
        case .enroll: return decide(input)
        case .assess: return assess(input)
        case .bind: return assessAccount(input)
        case .refusal: return nil
        }
    }
}
