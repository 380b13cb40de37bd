import Foundation

/// Looks for secrets in every form in which they could have been written down.
struct SecretSearch {
    private let needles: String
    private let folder: Folder

    init(_ gate: Gate, _ credentials: [MintedCredential]) throws {
        folder = try gate.folder("search")
        let forms = credentials.flatMap { credential in
            credential.secrets.flatMap { Self.forms(of: $0, user: credential.device).map(\.form) }
        }
        guard !forms.isEmpty else { throw Trouble("nothing to look for") }
        needles = try folder.write(Set(forms).sorted().joined(separator: "\n") + "\n", to: "needles")
    }

    /// The files below these paths that hold a secret, sorted.
    func hits(in paths: [String]) throws -> [String] {
        let found = try Tool.run(
            "grep", ["-rlaiF", "-f", needles, "--"] + paths, in: folder, within: 120)
        // 0: found, 1: nothing found, 2: a file that could not be read (PostgreSQL removes some meanwhile).
        guard (0...2).contains(found.status), found.status != 2 || found.messages.contains("No such file")
        else {
            throw Trouble("grep: \(found)")
        }
        return found.output.split(separator: "\n").map(String.init).sorted()
    }

    /// Text, its secret part, the octets it stands for, and the base64 and hexadecimal forms of each.
    static func forms(of text: String, user: String) -> [(name: String, form: String)] {
        // The first 16 characters of a text of SCEP and EST are the credential's id, which is no secret.
        let secret = text.count == 48 ? String(text.dropFirst(16)) : text
        var forms = [("secret part", secret), ("hexadecimal", hexadecimal(Array(secret.utf8)))]
        let octets = text.count == 48 ? base32(secret) : base64url(secret)
        forms.append(("octets in hexadecimal", hexadecimal(octets)))
        forms.append(("octets in base64", unpadded(octets)))
        forms.append(("Basic header", unpadded(Array("\(user):\(text)".utf8))))
        for shift in 0..<3 {
            // Wherever it begins within a larger text: without the characters that neighbours have a part in.
            let encoded = unpadded(Array(repeating: 0x20, count: shift) + Array(secret.utf8))
            forms.append(("base64 at \(shift)", String(encoded.dropFirst(4).dropLast(4))))
        }
        return forms
    }

    private static func hexadecimal(_ octets: [UInt8]) -> String {
        octets.map { String(format: "%02x", $0) }.joined()
    }

    private static func unpadded(_ octets: [UInt8]) -> String {
        Data(octets).base64EncodedString().replacingOccurrences(of: "=", with: "")
    }

    private static func base64url(_ text: String) -> [UInt8] {
        let plain = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        let fill = String(repeating: "=", count: (4 - plain.count % 4) % 4)
        return Array(Data(base64Encoded: plain + fill) ?? Data(plain.utf8))
    }

    /// RFC 4648 §6.
    private static func base32(_ text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        let bits = text.flatMap { character -> [UInt8] in
            let value = alphabet.firstIndex(of: character) ?? 0
            return (0..<5).map { UInt8(value >> (4 - $0) & 1) }
        }
        return stride(from: 0, to: bits.count - 7, by: 8).map { start in
            bits[start..<start + 8].reduce(0) { $0 << 1 | $1 }
        }
    }
}
