import Listener
import Testing

struct ValidationTargetTests {
    static let start = ValidationTarget(host: "a.example", port: 5002, resource: "/x")

    @Test(arguments: [
        ("/y?z#f", "a.example", 5002, "/y?z"), ("http://B.example", "b.example", 80, "/"),
        ("HTTP://b.example:8080/p?q", "b.example", 8080, "/p?q"),
        ("http://b.example?q", "b.example", 80, "/?q"),
        ("http://127.0.0.1/", "127.0.0.1", 80, "/"),
    ])
    func follows(_ location: String, _ host: String, _ port: Int, _ resource: String) {
        #expect(
            Self.start.following(location: location)
                == ValidationTarget(host: host, port: port, resource: resource))
    }

    @Test(arguments: [
        "", "y", "//b.example/", "https://b.example/", "ftp://b.example/", "http://u@b.example/",
        "http://u:p@b.example/", "http://[::1]/", "http:///p", "http://b.example:0/",
        "http://b.example:65536/",
        "http://b.example:/", "http://b.example:80:80/", "http://b_\\.example/", "http://b.example/\r\nX: y",
        "http://b.example/ p", "http://b%2eexample/", "http://b.example:+80/", "file:///etc/passwd",
    ])
    func refuses(_ location: String) { #expect(Self.start.following(location: location) == nil) }
}
