/// Some recorded requests on their way to a replay, unread.
package struct RecordBatch: Sendable {
    /// The two documents of one request, as the ledger has them.
    package struct Documents: Sendable {
        let request: [UInt8]
        let decision: [UInt8]

        package init(request: [UInt8], decision: [UInt8]) {
            self.request = request
            self.decision = decision
        }
    }

    enum Content: Sendable {
        case documents([Documents])
        /// Lines by their places in one block of text.
        case lines(text: [UInt8], [Range<Int>])
    }

    /// The number of the first record among all, counted from 1; in a file, its line.
    let first: Int
    let content: Content

    /// - Parameter first: the number of the first of them among all, counted from 1.
    package init(_ documents: [Documents], first: Int) {
        self.first = first
        content = .documents(documents)
    }

    init(text: [UInt8], lines: [Range<Int>], first: Int) {
        self.first = first
        content = .lines(text: text, lines)
    }

    /// How many records there are, blank lines included.
    package var count: Int {
        switch content {
        case .documents(let documents): return documents.count
        case .lines(_, let lines): return lines.count
        }
    }

    /// The same batch without what comes after `count` records.
    package func prefix(_ count: Int) -> RecordBatch {
        switch content {
        case .documents(let documents): return RecordBatch(Array(documents.prefix(count)), first: first)
        case .lines(let text, let lines):
            return RecordBatch(text: text, lines: Array(lines.prefix(count)), first: first)
        }
    }
}
