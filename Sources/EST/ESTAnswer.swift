import EnrollmentCore
import FrontEnd
import PKIX

/// What EST answers look like on the wire.
enum ESTAnswer {
    /// Seconds a throttled client is asked to wait.
    static let defaultRetryAfter: Int64 = 60

    /// A certs-only message in base64 (RFC 7030 §4.1.3, §4.2.3): one line that ends in LF, since common
    /// clients do not read a wrapped one.
    static func certificates(_ certificates: [[UInt8]]) -> FrontEndResponse {
        FrontEndResponse(
            status: 200,
            headers: [
                (name: "content-type", value: "application/pkcs7-mime; smime-type=certs-only"),
                (name: "content-transfer-encoding", value: "base64"),
            ],
            body: Array((Base64.encode(CertificateBag.certsOnly(certificates)) + "\n").utf8))
    }

    /// A coarse reason and the correlation id.
    static func text(_ status: Int, _ reason: String, _ id: RequestID, retryAfter: Int64? = nil)
        -> FrontEndResponse
    {
        var headers = [(name: "content-type", value: "text/plain; charset=utf-8")]
        if status == 401 { headers.append((name: "www-authenticate", value: "Basic realm=\"enrollment\"")) }
        if let retryAfter { headers.append((name: "retry-after", value: String(max(1, retryAfter)))) }
        return FrontEndResponse(
            status: status, headers: headers, body: Array("\(reason)\nrequest \(id)\n".utf8))
    }
}
