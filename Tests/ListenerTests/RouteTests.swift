import Listener
import Testing

struct RouteTests {
    @Test(arguments: [
        (ListenerName.tls, "/.well-known/est/cacerts", Route.est),
        (.tls, "/.well-known/est", .est),
        (.tls, "/.well-known/estate", .unknown),
        (.tls, "/.well-known/%65st/cacerts", .unknown),
        (.tls, "//.well-known/est/cacerts", .unknown),
        (.tls, "/acme/laptops/directory", .acme),
        (.tls, "/ACME/laptops/directory", .unknown),
        (.tls, "/scep/laptops/pkiclient.exe", .scep),
        (.tls, "/livez", .unknown),
        (.tls, "/metrics", .unknown),
        (.tls, "/", .unknown),
        (.tls, "", .unknown),
        (.tls, "acme", .unknown),
        (.http, "/scep/laptops", .scep),
        (.http, "/.well-known/est/cacerts", .unknown),
        (.http, "/acme/laptops/directory", .unknown),
        (.http, "/ca/issuing.cer", .authorityCertificate(issuer: "issuing")),
        (.http, "/ca/.cer", .unknown),
        (.http, "/ca/x/issuing.cer", .unknown),
        (.http, "/metrics", .unknown),
        (.admin, "/livez", .live),
        (.admin, "/readyz", .ready),
        (.admin, "/metrics", .metrics),
        (.admin, "/metrics/", .unknown),
        (.admin, "/scep/laptops", .unknown),
        (.admin, "/log/checkpoint", .log),
        (.admin, "/log/tile/0/x001/234.p/5", .log),
        (.admin, "/log", .unknown),
        (.admin, "/logs/checkpoint", .unknown),
        (.tls, "/log/checkpoint", .unknown),
        (.http, "/log/checkpoint", .unknown),
    ])
    func leads(_ listener: ListenerName, _ path: String, _ route: Route) {
        #expect(Route(listener: listener, path: path) == route)
    }
}
