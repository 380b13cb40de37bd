import EnrollmentCore
import Foundation
import Glibc
import PKIX

/// The certificates of a file or a folder, one at a time.
final class CertificateFiles {
    enum Item {
        case certificate([UInt8], from: String)
        /// What and why.
        case unreadable(String)
    }

    private static let mostFiles = 1_000_000
    private static let mostOctets = 1_048_576

    /// Steps to do and done, for a progress bar: files of a folder, octets of a single file.
    let total: Int
    private(set) var done = 0
    private let isFolder: Bool
    private var paths: any IteratorProtocol<String>
    private var blocks: PEMBlocks?

    /// - Throws: `StartupError` when there is no such path, or too many files.
    init(path: String) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw StartupError("there is no \(path)", remedy: "name a file or a folder", exitCode: .notFound)
        }
        isFolder = isDirectory.boolValue
        if isFolder {
            var count = 0
            for _ in Self.files(below: path) { count += 1 }
            guard count <= Self.mostFiles else {
                throw StartupError(
                    "\(path) holds more than \(Self.mostFiles) files", remedy: "reconcile parts of it",
                    exitCode: .usage)
            }
            total = count
            paths = Self.files(below: path).makeIterator()
        } else {
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            total = Int(clamping: attributes?[.size] as? Int64 ?? 0)
            paths = [path].makeIterator()
        }
    }

    /// The next certificate or fault; nil after the last.
    func next() -> Item? {
        while true {
            if let open = blocks {
                let item = open.next()
                if !isFolder { done = open.read }
                if let item { return item }
                blocks = nil
            }
            guard let path = paths.next() else { return nil }
            if isFolder { done += 1 }
            if let item = begin(path) { return item }
        }
    }

    /// Opens a file; DER is one certificate, anything else is read for PEM blocks.
    private func begin(_ path: String) -> Item? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .unreadable("\(path): no file")
        }
        guard let handle = FileHandle(forReadingAtPath: path),
            let size = try? handle.seekToEnd(), (try? handle.seek(toOffset: 0)) != nil
        else { return .unreadable("\(path): it cannot be opened") }
        guard !isFolder || size <= UInt64(Self.mostOctets) else {
            return .unreadable("\(path): longer than 1 MiB")
        }
        guard let head = try? handle.read(upToCount: 1), let first = head.first else {
            return .unreadable("\(path): empty or not readable")
        }
        if first == 0x30 {
            guard size <= UInt64(X509Certificate.maximumLength), let rest = try? handle.readToEnd() else {
                return .unreadable("\(path): no certificate")
            }
            return .certificate([first] + Array(rest), from: path)
        }
        blocks = PEMBlocks(handle, path: path, begun: Array(head))
        return nil
    }

    /// Regular files and links to such, in any depth; linked folders are not entered.
    private static func files(below path: String) -> some Sequence<String> {
        let enumerator = FileManager.default.enumerator(atPath: path)
        return sequence(state: enumerator) { enumerator -> String? in
            while let name = enumerator?.nextObject() as? String {
                var isDirectory: ObjCBool = false
                let full = "\(path)/\(name)"
                let exists = FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory)
                // A dangling link exists in the listing: it is named as unreadable.
                if !exists || !isDirectory.boolValue { return full }
            }
            return nil
        }
    }
}

/// The certificates in a text of any length (RFC 7468).
final class PEMBlocks {
    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let earlier = " X509 CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"
    /// Of one block, with its base64.
    private static let mostOctets = 131_072

    /// Octets read so far.
    private(set) var read = 0
    private let handle: FileHandle
    private let path: String
    private var buffer: [UInt8]
    private var place = 0
    private var isAtEnd = false
    private var found = 0

    init(_ handle: FileHandle, path: String, begun: [UInt8]) {
        self.handle = handle
        self.path = path
        buffer = begun
    }

    /// Without white space and byte order mark; an old label (RFC 7468 §5.1) as it is called today.
    private static func plain(_ line: String) -> String {
        let space = CharacterSet.whitespacesAndNewlines.union(CharacterSet(charactersIn: "\u{feff}"))
        let text = line.trimmingCharacters(in: space)
        return text.hasPrefix("-----")
            ? text.replacingOccurrences(of: earlier, with: " CERTIFICATE-----") : text
    }

    /// The next block; one fault for a file without any.
    func next() -> CertificateFiles.Item? {
        var isBegun = false
        // Lines may be of any length: one, or all in one.
        var base64 = ""
        while let line = nextLine() {
            let text = Self.plain(line)
            if text.contains("-----BEGIN"), text != Self.begin {
                // Another kind of block may hold certificates all the same: it is named, not passed over.
                return fault("a block that is not read: \(text.prefix(80))")
            }
            if text == Self.begin {
                if isBegun { return fault("a block without an end") }
                isBegun = true
            } else if isBegun {
                if text == Self.end { return certificate(base64) }
                base64 += text
                if base64.utf8.count > Self.mostOctets { return fault("a block that is too long") }
            }
        }
        if isBegun { return fault("a block without an end") }
        return found == 0 ? fault("no certificate") : nil
    }

    private func certificate(_ base64: String) -> CertificateFiles.Item {
        found += 1
        guard let der = Base64.decode(base64.utf8) else {
            return .unreadable("\(path), certificate \(found): broken PEM")
        }
        return .certificate(der, from: found == 1 ? path : "\(path), certificate \(found)")
    }

    private func fault(_ what: String) -> CertificateFiles.Item {
        found += 1
        return .unreadable("\(path): \(what)")
    }

    /// Without its line feed or carriage return; longer ones than a block may be come in pieces.
    private func nextLine() -> String? {
        while true {
            if let feed = buffer[place...].firstIndex(where: { $0 == 0x0a || $0 == 0x0d }) {
                defer { place = feed + 1 }
                return String(decoding: buffer[place..<feed], as: UTF8.self)
            }
            let rest = buffer.count - place
            if isAtEnd || rest > Self.mostOctets {
                guard rest > 0 else { return nil }
                defer { place = buffer.count }
                return String(decoding: buffer[place...], as: UTF8.self)
            }
            buffer.removeFirst(place)
            place = 0
            let more = (try? handle.read(upToCount: 65_536)) ?? Data()
            isAtEnd = more.isEmpty
            read += more.count
            buffer += more
        }
    }
}
