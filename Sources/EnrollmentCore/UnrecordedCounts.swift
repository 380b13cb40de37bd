/// Requests that were counted instead of recorded, minute by minute.
package struct UnrecordedCounts: Sendable, Hashable {
    package let traffic: [TrafficCount]
    /// The wrong guesses among them, by the credential that was guessed at.
    package let guesses: [GuessCount]

    package init(traffic: [TrafficCount], guesses: [GuessCount] = []) {
        self.traffic = traffic
        self.guesses = guesses
    }

    package var isEmpty: Bool { traffic.isEmpty && guesses.isEmpty }
}

/// Wrong guesses at one credential in one minute.
package struct GuessCount: Sendable, Hashable {
    package let credential: CredentialID
    /// Any instant of the minute.
    package let minute: Timestamp
    package let guesses: Int64

    package init(credential: CredentialID, minute: Timestamp, guesses: Int64) {
        self.credential = credential
        self.minute = minute
        self.guesses = guesses
    }
}
