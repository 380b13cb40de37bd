import EST

/// One request to EST: the path, the Authorization and the Content-Type a line each, then the body.
enum ESTBody {
    private static let certificate = Vectors.certificate("device.issued.pem")

    static func run(_ octets: [UInt8]) {
        let (lines, body) = octets.lines(3)
        let texts = lines.map { FrontEndRun.text($0) }
        guard texts.count == 3 else { return }
        let server = ESTServer(registrar: FrontEndRun.deferringRegistrar())
        let headers = [(name: "authorization", value: texts[1]), (name: "content-type", value: texts[2])]
        FrontEndRun.answer(server, FrontEndRun.request("POST", texts[0], headers: headers, body))
        FrontEndRun.answer(
            server,
            FrontEndRun.request(
                "POST", "/.well-known/est/laptops/simplereenroll", headers: [headers[1]], body,
                clientCertificate: certificate))
    }
}
