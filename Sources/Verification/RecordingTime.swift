import EnrollmentCore

/// When an entry was recorded: by the database's clock, and by the time in its id.
struct RecordingTime {
    let id: RecordID
    /// By the database's clock.
    let recordedAt: Timestamp

    /// Seconds since the earlier of the two.
    func age(at now: Timestamp) -> Int64 { now.seconds(since: min(recordedAt, id.instant)) }

    /// What is wrong with the times (L10).
    func fault(at now: Timestamp) -> String? {
        if recordedAt.seconds(since: now) > 120 { return "entry.recorded_at is to come" }
        guard id.instant.seconds(since: now) <= Retirement.clockTolerance else {
            return "the time in its id is to come"
        }
        guard recordedAt.seconds(since: id.instant).magnitude <= 86_400 else {
            return "entry.recorded_at is more than a day from the time in its id"
        }
        return nil
    }
}

extension EvidenceEntry {
    /// Nil in an export, which has the id's time alone.
    var recordingTime: RecordingTime? {
        recordedAt.map { RecordingTime(id: id, recordedAt: Timestamp(microseconds: $0)) }
    }
}

extension WaitingEntry {
    var recordingTime: RecordingTime {
        RecordingTime(id: id, recordedAt: Timestamp(microseconds: recordedAt))
    }
}
