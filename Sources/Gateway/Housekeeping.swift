import EnrollmentCore
import Ledger
import Logging
import Registration
import ServiceLifecycle

/// What a gateway does beside answering: writes the counts of unrecorded requests, forgets expired protocol
/// state, closes reservations that another replica left behind, and prepares the months to come.
struct Housekeeping: Service {
    let ledger: PostgresLedger
    let budget: UnverifiedBudget
    let clock: any WallClock
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // A sleep cut short by shutdown is the way out, not a failure.
            var round = 0
            repeat {
                if round % 180 == 0 { await prepareMonths() }
                round += 1
                guard (try? await Task.sleep(for: .seconds(20))) != nil else { return }
                await tidy()
            } while true
        }
    }

    /// Writes all counts, the current minute's too. Called once when service has ended.
    func flush() async { await write(budget.drain(before: clock.now().adding(seconds: 60))) }

    /// Hourly; what lies in no month is kept all the same.
    private func prepareMonths() async {
        do throws(LedgerError) { try await ledger.makePartitions(monthsAhead: 3) } catch {
            logger.warning("partitions were not prepared", metadata: ["cause": "\(error)"])
        }
    }

    private func tidy() async {
        let now = clock.now()
        await write(budget.drain(before: now))
        do throws(LedgerError) {
            _ = try await ledger.forgetExpiredState(now: now)
            let closed = try await ledger.reconcile(gateway: nil, now: now)
            if closed > 0 { logger.warning("closed dangling reservations", metadata: ["count": "\(closed)"]) }
        } catch {
            logger.error("housekeeping failed", metadata: ["cause": "\(error)"])
        }
    }

    private func write(_ counts: UnrecordedCounts) async {
        guard !counts.isEmpty else { return }
        do throws(LedgerError) { try await ledger.flush(counts) } catch {
            let rows = counts.traffic.count + counts.guesses.count
            logger.error("counts were lost", metadata: ["cause": "\(error)", "rows": "\(rows)"])
        }
    }
}
