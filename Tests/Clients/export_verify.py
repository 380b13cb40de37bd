#!/usr/bin/env python3
"""Verifies what `gatehouse ledger export` wrote with nothing but Python and the openssl command.

    export_verify.py EXPORT.vkey LOG.vkey rows FILE       FILE.manifest.json and FILE.manifest.note beside it
    export_verify.py EXPORT.vkey LOG.vkey evidence DIR    manifest.json and manifest.note in it

EXPORT.vkey signs the manifest; LOG.vkey, a line for each generation, the checkpoints. Prints what the manifest says
of the export as JSON, with the rows as lists of texts, null for NULL. Exit code 1 when something is refused."""
import base64, hashlib, json, pathlib, subprocess, sys, tempfile


def refuse_unless(holds, reason):
    if not holds:
        sys.exit(f"refused: {reason}")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def opened(note, vkeys):
    """The text of a signed note (c2sp.org/signed-note) that a key of these signed."""
    text, _, lines = note.rpartition("\n\n")
    text += "\n"
    for vkey in filter(None, vkeys.split("\n")):
        name, key_id, key = vkey.split("+", 2)
        key = base64.b64decode(key, validate=True)
        refuse_unless(key[0] == 1 and sha256(name.encode(), b"\n", key)[:4].hex() == key_id, "not an Ed25519 vkey")
        for line in lines.split("\n"):
            signature = base64.b64decode(line.rsplit(" ", 1)[-1]) if line.startswith(f"— {name} ") else b""
            if signature[:4].hex() == key_id and is_signed(key[1:], text.encode(), signature[4:]):
                return text
    sys.exit("refused: no known key signed the note")


def is_signed(key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        files = [pathlib.Path(folder, name) for name in ("key", "message", "signature")]
        for file, content in zip(files, (bytes.fromhex("302a300506032b6570032100") + key, message, signature)):
            file.write_bytes(content)
        command = ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey", files[0],
                   "-in", files[1], "-sigfile", files[2]]
        return subprocess.run(command, capture_output=True).returncode == 0


def signed_manifest(path, note, vkeys):
    octets = pathlib.Path(path).read_bytes()
    origin, digest, end = opened(pathlib.Path(note).read_text(), vkeys).split("\n")
    refuse_unless(origin.endswith("/export") and end == "", "not a note over a manifest")
    refuse_unless(digest == sha256(octets).hex(), "the note is over another manifest")
    return json.loads(octets)


def expect_file(path, octets, digest):
    content = pathlib.Path(path).read_bytes()
    refuse_unless(len(content) == octets and sha256(content).hex() == digest, f"{path} is not what the manifest names")
    return content


def csv_records(text):
    """RFC 4180, to the letter: a field in quotes is text, an empty one without them is None."""
    records, record, place = [], [], 0
    while place < len(text):
        if text[place] == '"':
            field = ""
            while True:
                end = text.index('"', place + 1)
                field += text[place + 1:end]
                place = end + 1
                if text[place] != '"':
                    break
                field += '"'
        else:
            end = min(text.index(mark, place) for mark in (",", "\r\n") if mark in text[place:])
            field = text[place:end] or None
            refuse_unless(not set(field or "") & set('"\r\n'), "a field that is not quoted has quotes or line ends")
            place = end
        record.append(field)
        if text[place] == ",":
            place += 1
        else:
            refuse_unless(text[place:place + 2] == "\r\n", "a record that does not end in CR LF")
            place += 2
            records.append(record)
            record = []
    refuse_unless(not record, "the last record has no end")
    return records


def as_text(value):
    return value if value is None or isinstance(value, str) else json.dumps(value)


def rows(path, keys, log_keys):
    manifest = signed_manifest(f"{path}.manifest.json", f"{path}.manifest.note", keys)
    refuse_unless(manifest["format"] == "gatehouse-rows/1", "not a manifest of rows")
    text = expect_file(path, manifest["octets"], manifest["sha256"]).decode()
    columns = manifest["columns"]
    if manifest["rows_format"] == "csv":
        header, *found = csv_records(text)
        refuse_unless(header == columns, "the header is not of the manifest's columns")
        refuse_unless(all(len(record) == len(columns) for record in found), "records of another length")
    else:
        objects = [json.loads(line) for line in text.split("\n")[:-1]]
        refuse_unless(all(sorted(each) == sorted(columns) for each in objects), "objects of other columns")
        found = [[as_text(each[column]) for column in columns] for each in objects]
    refuse_unless(len(found) == manifest["rows"], "another number of rows")
    _, size, _, *_ = opened(manifest["checkpoint"], log_keys).split("\n")
    return {"query": manifest["query"], "columns": columns, "exporter": manifest["exporter"], "size": int(size),
            "rows": found}


def root_of_leaves(leaves):
    """RFC 9162 section 2.1.1: a level at a time, an odd hash at the end going up as it is."""
    while len(leaves) > 1:
        pairs = [sha256(b"\x01", *leaves[i:i + 2]) for i in range(0, len(leaves) - 1, 2)]
        leaves = pairs + leaves[2 * len(pairs):]
    return leaves[0]


def evidence(path, keys, log_keys):
    manifest = signed_manifest(f"{path}/manifest.json", f"{path}/manifest.note", keys)
    refuse_unless(manifest["format"] == "gatehouse-export/1", "not a manifest of evidence")
    files = {name: expect_file(f"{path}/{name}", file["octets"], file["sha256"])
             for name, file in manifest["files"].items()}
    leaves = [files["leaves"][i:i + 32] for i in range(0, len(files["leaves"]), 32)]
    root = root_of_leaves(leaves)
    refuse_unless(len(leaves) == manifest["tree_size"] and root.hex() == manifest["root_sha256"], "another tree")
    checkpoints = [json.loads(line)["note"] for line in files["checkpoints.jsonl"].decode().split("\n")[:-1]]
    newest = max((opened(note, log_keys).split("\n") for note in checkpoints), key=lambda lines: int(lines[1]))
    refuse_unless(int(newest[1]) == len(leaves) and base64.b64decode(newest[2]) == root, "no checkpoint of this tree")
    entries = [json.loads(line) for line in files["entries.jsonl"].decode().split("\n")[:-1]]
    for entry in entries:
        leaf = sha256(b"\0", entry["body"].encode())
        refuse_unless(leaves[entry["leaf_index"]] == leaf, f"entry {entry['entry_id']} is another than its leaf")
    refuse_unless(len({entry["leaf_index"] for entry in entries}) == manifest["entries"], "another number of entries")
    return {"size": len(leaves), "private": manifest["private"],
            "values": sum(len(entry.get("private", [])) for entry in entries)}


def main():
    export_key, log_key, kind, path = sys.argv[1:]
    keys, log_keys = (pathlib.Path(each).read_text() for each in (export_key, log_key))
    print(json.dumps({"rows": rows, "evidence": evidence}[kind](path, keys, log_keys)))


try:
    main()
except (ValueError, KeyError, TypeError, IndexError, OSError) as error:
    sys.exit(f"refused: {error}")
