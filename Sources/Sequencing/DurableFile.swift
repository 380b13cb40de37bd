import Foundation
import Glibc

/// Files that are there entirely or not at all, and on disk before anybody is told.
package enum DurableFile {
    /// Puts `octets` where nothing is yet, readable by all and writable by nobody.
    ///
    /// By a link to a complete file, which fails where there is one: a crash leaves no half of it.
    ///
    /// - Throws: `conflict` when something else is there.
    static func create(_ path: String, _ octets: [UInt8]) throws(PublicationError) {
        if let existing = try read(path) {
            guard existing == octets else { throw .conflict("\(path) holds something else") }
            return
        }
        let folder = parent(of: path)
        try makeFolders(folder)
        let draft = try draft(octets, in: folder)
        defer { unlink(draft) }
        if link(draft, path) != 0 {
            guard errno == EEXIST else { throw failure("cannot create", path) }
            // Another process was first.
            guard try read(path) == octets else { throw .conflict("\(path) holds something else") }
        }
        try synchronise(folder)
    }

    /// Puts `octets` at a path in one step, whatever was there, readable by all.
    ///
    /// - Throws: `failed` with the operating system's reason.
    package static func replace(_ path: String, _ octets: [UInt8]) throws(PublicationError) {
        if try read(path) == octets { return }
        let folder = parent(of: path)
        try makeFolders(folder)
        let draft = try draft(octets, in: folder)
        guard rename(draft, path) == 0 else {
            let error = failure("cannot replace", path)
            unlink(draft)
            throw error
        }
        try synchronise(folder)
    }

    /// Adds `octets` at the end by one write.
    static func append(_ path: String, _ octets: [UInt8]) throws(PublicationError) {
        let folder = parent(of: path)
        try makeFolders(folder)
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw failure("cannot open", path) }
        defer { close(file) }
        guard write(file, octets, octets.count) == octets.count, fsync(file) == 0 else {
            throw failure("cannot append to", path)
        }
        try synchronise(folder)
    }

    /// The file's last octets, at most `most`, and whether they are all; nil when there is no file.
    static func tail(_ path: String, most: Int) throws(PublicationError) -> (octets: [UInt8], isAll: Bool)? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            if isAbsent(errno) { return nil }
            throw failure("cannot read", path)
        }
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        let start = max(0, size - most)
        guard size >= 0, lseek(file, off_t(start), SEEK_SET) >= 0 else { throw failure("cannot read", path) }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count >= 0 else { throw failure("cannot read", path) }
            if count == 0 { break }
            octets += buffer.prefix(count)
        }
        return (octets, start == 0)
    }

    /// The whole file; nil when there is none.
    static func read(_ path: String) throws(PublicationError) -> [UInt8]? {
        try tail(path, most: Int.max)?.octets
    }

    /// The names in a folder, in no order; nil when there is no folder.
    package static func names(in folder: String) throws(PublicationError) -> [String]? {
        if access(folder, F_OK) != 0 {
            if isAbsent(errno) { return nil }
            throw failure("cannot list", folder)
        }
        do { return try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw .failed("cannot list \(folder): \(error.localizedDescription)")
        }
    }

    /// Whether an operating system's error says that nothing is there, and not that it cannot be seen.
    static func isAbsent(_ error: Int32) -> Bool { error == ENOENT || error == ENOTDIR }

    private static func draft(_ octets: [UInt8], in folder: String) throws(PublicationError) -> String {
        var path = Array("\(folder)/.draft-XXXXXX".utf8CString)
        let file = mkstemp(&path)
        let name = path.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        guard file >= 0 else { throw failure("cannot create a file in", folder) }
        defer { close(file) }
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        guard rest.isEmpty, fchmod(file, 0o444) == 0, fsync(file) == 0 else {
            let error = failure("cannot write to", folder)
            unlink(name)
            throw error
        }
        return name
    }

    private static func makeFolders(_ path: String) throws(PublicationError) {
        if path.isEmpty || access(path, F_OK) == 0 { return }
        let above = parent(of: path)
        try makeFolders(above)
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("cannot create", path) }
        try synchronise(above)
    }

    /// Makes the names in a folder durable.
    private static func synchronise(_ folder: String) throws(PublicationError) {
        let directory = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure("cannot open", folder) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure("cannot make durable", folder) }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex && path.count > 1 ? "/" : String(path[..<slash])
    }

    /// What the operating system said last.
    static func failure(_ what: String, _ path: String) -> PublicationError {
        .failed("\(what) \(path): \(String(cString: strerror(errno)))")
    }
}
