import Foundation
import Glibc

/// Environments in which a program sees another time of day than the machine's, by libfaketime.
enum FakeClock {
    /// So many seconds ago.
    static func ago(seconds: Int) throws -> [String: String] {
        try preloaded.merging(["FAKETIME": "-\(seconds)s"]) { $1 }
    }

    /// What a file says, e.g. `-3600s`; looked at every second.
    static func offset(in file: String) throws -> [String: String] {
        try preloaded.merging(["FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_CACHE_DURATION": "1"]) { $1 }
    }

    private static var preloaded: [String: String] {
        get throws {
            let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
            guard access(library, R_OK) == 0 else {
                throw Trouble("apt-get install faketime: no \(library)")
            }
            // Waiting goes by the machine's time.
            return ["LD_PRELOAD": library, "DONT_FAKE_MONOTONIC": "1"]
        }
    }
}
