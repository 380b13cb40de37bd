/// One HTTP response of a front-end. The adapter adds Content-Length and Date.
package struct FrontEndResponse: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    /// - Parameters:
    ///   - status: the HTTP status code.
    ///   - headers: in the order they are sent.
    ///   - body: complete.
    package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
