#!/usr/bin/env python3
"""Verifies a receipt of Gatehouse's transparency log with nothing but Python and the openssl command.

    log_verify.py LOG.vkey RECEIPT [--certificate FILE] [--older CHECKPOINT --tiles FOLDER]

LOG.vkey may have several lines, one for each generation of the log: the one counts that has the checkpoint's name.
RECEIPT is a c2sp.org/tlog-proof@v1 whose extra data are the entry; FILE is the certificate in PEM or DER. With an
older checkpoint, both roots are computed again from all leaf hashes in the tiles (tile/0/... below FOLDER).
Exit code 0 when all is well, 1 when something is refused."""
import argparse, base64, hashlib, json, pathlib, re, subprocess, sys, tempfile


def refuse_unless(holds, reason):
    if not holds:
        sys.exit(f"refused: {reason}")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def decode(text):
    octets = base64.b64decode(text, validate=True)
    refuse_unless(base64.b64encode(octets).decode() == text, "base64 that is not canonical")
    return octets


def ed25519_is_right(public_key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder, name) for name in ("key", "message", "signature")]
        der = bytes.fromhex("302a300506032b6570032100") + public_key
        for file, content in zip(files, (der, message, signature)):
            file.write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey", files[0],
                   "-in", files[1], "-sigfile", files[2]]
        return subprocess.run(command, capture_output=True).returncode == 0


def checkpoint(note, vkeys):
    """The size and root of a checkpoint that the key of its name signed."""
    named = [line.strip() for line in vkeys.split("\n") if line.split("+")[0].strip() == note.split("\n")[0]]
    refuse_unless(len(named) == 1, "not a checkpoint of this log: the file has no one key of its name")
    name, key_id, key = named[0].split("+", 2)
    key = decode(key)
    refuse_unless(len(key) == 33 and key[0] == 1, "not a log's vkey")
    refuse_unless(sha256(name.encode(), b"\n", key)[:4].hex() == key_id, "the vkey has another id")
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    prefix = f"— {name} "
    signatures = [decode(line[len(prefix):]) for line in lines.split("\n") if line.startswith(prefix)]
    signatures = [each[4:] for each in signatures if each[:4].hex() == key_id]
    right = [ed25519_is_right(key[1:], text.encode(), each) for each in signatures]
    refuse_unless(right and all(right), f"not signed by {name}")
    origin, size, root, *_ = text.split("\n")
    refuse_unless(origin == name and re.fullmatch("0|[1-9][0-9]*", size), "not a checkpoint of this log")
    return int(size), decode(root)


def root_of_proof(leaf, index, size, proof):
    """RFC 9162 section 2.1.3.2."""
    refuse_unless(index < size, "the index is beyond the tree")
    last, root = size - 1, leaf
    for sibling in proof:
        refuse_unless(last > 0, "the proof is too long")
        if index & 1 or index == last:
            root = sha256(b"\x01", sibling, root)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            root = sha256(b"\x01", root, sibling)
        index, last = index >> 1, last >> 1
    refuse_unless(last == 0, "the proof is too short")
    return root


def root_of_leaves(leaves):
    """RFC 9162 section 2.1.1: a level at a time, an odd hash at the end going up as it is."""
    if not leaves:
        return sha256()
    while len(leaves) > 1:
        pairs = [sha256(b"\x01", *leaves[i:i + 2]) for i in range(0, len(leaves) - 1, 2)]
        leaves = pairs + leaves[2 * len(pairs):]
    return leaves[0]


def leaves_of_tiles(folder, size):
    leaves = []
    for index in range((size + 255) // 256):
        digits = f"{index:03d}" if index < 1000 else f"{index:06d}" if index < 10**6 else f"{index:09d}"
        groups = re.findall("...", digits)
        width = min(256, size - 256 * index)
        path = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
        path = pathlib.Path(folder, "tile/0", path + (f".p/{width}" if width < 256 else ""))
        refuse_unless(path.is_file(), f"{path} is missing")
        octets = path.read_bytes()
        refuse_unless(len(octets) == 32 * width, f"{path} has {len(octets)} octets")
        leaves += [octets[i:i + 32] for i in range(0, len(octets), 32)]
    return leaves


def main():
    parser = argparse.ArgumentParser()
    for name in ("vkey", "receipt", "--certificate", "--older", "--tiles"):
        parser.add_argument(name)
    options = parser.parse_args()
    read = lambda path: pathlib.Path(path).read_bytes()
    vkey = read(options.vkey).decode()
    head, _, note = read(options.receipt).decode().partition("\n\n")
    magic, extra, index, *proof = head.split("\n")
    refuse_unless(magic == "c2sp.org/tlog-proof@v1" and extra.startswith("extra "), "not a receipt")
    refuse_unless(re.fullmatch("index (0|[1-9][0-9]*)", index), "not a receipt")
    entry = decode(extra[6:])
    size, root = checkpoint(note, vkey)
    print(f"ok: signed checkpoint of {size} entries")
    computed = root_of_proof(sha256(b"\0", entry), int(index[6:]), size, [decode(line) for line in proof])
    refuse_unless(computed == root, "the entry is not in the tree")
    print(f"ok: {index} is in the tree")
    if options.certificate:
        der = read(options.certificate)
        if b"-----BEGIN CERTIFICATE-----" in der:
            der = base64.b64decode(der.split(b"-----BEGIN CERTIFICATE-----")[1].split(b"-----END")[0])
        refuse_unless(json.loads(entry)["certificate_sha256"] == sha256(der).hex(), "the entry is of another certificate")
        print("ok: the entry is of this certificate")
    if options.older:
        old_size, old_root = checkpoint(read(options.older).decode(), vkey)
        leaves = leaves_of_tiles(options.tiles or ".", max(size, old_size))
        refuse_unless(root_of_leaves(leaves[:size]) == root, "the tiles are not those of the receipt's tree")
        refuse_unless(root_of_leaves(leaves[:old_size]) == old_root, "the older tree is not the beginning of this one")
        print(f"ok: the trees of {old_size} and {size} entries are one log")


try:
    main()
except (ValueError, KeyError, TypeError, OSError) as error:
    sys.exit(f"refused: {error}")
