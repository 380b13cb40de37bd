import Foundation
import Glibc
import Synchronization

/// A temporary directory of its own. Removed with the gate whose it is.
final class Folder: Sendable {
    let path: String
    private let counter = Mutex(0)

    /// Below /tmp, where the unprivileged user of the gate can enter.
    static func temporary() throws -> Folder {
        var template = Array("/tmp/gatehouse-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil, chmod(template, 0o755) == 0 else {
            throw Trouble("no temporary directory below /tmp")
        }
        return Folder(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    private init(_ path: String) { self.path = path }

    /// A new directory in it.
    func folder(_ name: String) throws -> Folder {
        let inner = Folder(fresh(name))
        try FileManager.default.createDirectory(atPath: inner.path, withIntermediateDirectories: true)
        return inner
    }

    /// A path in it that nobody has used.
    func fresh(_ name: String) -> String {
        let number = counter.withLock { count in
            count += 1
            return count
        }
        return "\(path)/\(number)-\(name)"
    }

    /// The path of a file in it.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file in it and returns its path.
    @discardableResult
    func write(_ contents: Data, to name: String) throws -> String {
        try contents.write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String { try write(Data(text.utf8), to: name) }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
