import Listener
import Testing

struct MetricsTests {
    @Test func rendersWhatWasCounted() {
        let metrics = Metrics()
        metrics.countRequest(listener: .tls, route: .est, status: 200, seconds: 0.02)
        metrics.countRequest(listener: .tls, route: .est, status: 200, seconds: 0.2)
        metrics.countRequest(listener: .http, route: .scep, status: 400, seconds: .nan)
        metrics.countDecision(effect: "permit")
        metrics.countActivation(verdict: "refused")
        metrics.setPolicy(sha256: "ab12", isSkewed: true, isDirectoryRefused: true)
        let lines = metrics.rendered().split(separator: "\n").map(String.init)
        #expect(lines.contains("gatehouse_policy_directory_refused 1"))
        #expect(
            lines.contains("gatehouse_requests_total{listener=\"tls\",protocol=\"est\",status=\"200\"} 2"))
        #expect(
            lines.contains("gatehouse_requests_total{listener=\"http\",protocol=\"scep\",status=\"400\"} 1"))
        #expect(lines.contains("gatehouse_request_duration_seconds_bucket{listener=\"tls\",le=\"0.025\"} 1"))
        #expect(lines.contains("gatehouse_request_duration_seconds_bucket{listener=\"tls\",le=\"+Inf\"} 2"))
        #expect(lines.contains("gatehouse_request_duration_seconds_count{listener=\"http\"} 1"))
        #expect(lines.contains("gatehouse_request_duration_seconds_sum{listener=\"http\"} 0.0"))
        #expect(lines.contains("gatehouse_decisions_total{effect=\"permit\"} 1"))
        #expect(lines.contains("gatehouse_policy_activations_total{verdict=\"refused\"} 1"))
        #expect(lines.contains("gatehouse_policy_skew 1"))
        #expect(lines.contains("gatehouse_policy_info{sha256=\"ab12\"} 1"))
        #expect(lines.filter { $0.hasPrefix("# TYPE") }.count == 7)
    }

    @Test func saysWhereTheLogStands() {
        let metrics = Metrics()
        metrics.setRolledBack(true)
        #expect(!metrics.rendered().contains("gatehouse_log"), "nothing is known of the log yet")
        metrics.setLog(size: 7, pending: 2, checkpointAge: nil)
        metrics.setPublication("/mnt/\"log\"", lag: 3)
        metrics.setWitness("w.example", size: 2, isContradicting: true)
        metrics.setWitness("v.example", size: 7)
        let lines = metrics.rendered().split(separator: "\n").map(String.init)
        #expect(lines.contains("gatehouse_log_size 7"))
        #expect(lines.contains("gatehouse_log_pending_leaves 2"))
        #expect(lines.contains("gatehouse_log_rolled_back 1"))
        #expect(!lines.contains { $0.hasPrefix("gatehouse_log_checkpoint_age_seconds ") })
        #expect(
            lines.contains("gatehouse_log_publication_lag_leaves{publication=\"/mnt/\\\"log\\\"\"} 3"))
        #expect(lines.contains("gatehouse_log_witness_size{witness=\"w.example\"} 2"))
        #expect(lines.contains("gatehouse_log_witness_contradicts{witness=\"w.example\"} 1"))
        #expect(lines.contains("gatehouse_log_witness_contradicts{witness=\"v.example\"} 0"))
        metrics.setLog(size: 8, pending: 0, checkpointAge: 12)
        metrics.setRolledBack(false)
        metrics.setWitness("w.example", size: nil)
        let later = metrics.rendered().split(separator: "\n").map(String.init)
        #expect(later.contains("gatehouse_log_checkpoint_age_seconds 12"))
        #expect(later.contains("gatehouse_log_rolled_back 0"))
        #expect(!later.contains { $0.contains("w.example") } && later.contains { $0.contains("v.example") })
    }
}
