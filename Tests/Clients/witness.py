"""A strict witness (C2SP tlog-witness) of one log, for tests.

usage: witness.py FOLDER NAME LOG-VKEY

Prints its port and its verifier key, and serves http://127.0.0.1:PORT/add-checkpoint until its input ends. It
signs only what continues the tree it has seen, which it keeps in FOLDER/seen.
"""
import base64, hashlib, http.server, os, subprocess, sys, threading, time

folder, name, log_key = sys.argv[1:4]
log_name, log_id, log_public = log_key.split("+", 2)
PREFIX = bytes.fromhex("302a300506032b6570032100")  # SubjectPublicKeyInfo of an Ed25519 key


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True)


def write(path, octets):
    with open(os.path.join(folder, path), "wb") as file:
        file.write(octets)
    return os.path.join(folder, path)


def sign(message):
    path = write("message", message)
    return openssl("pkeyutl", "-sign", "-rawin", "-inkey", f"{folder}/key.pem", "-in", path).stdout


def verify(public, message, signature):
    key = write("public.der", PREFIX + public)
    path, proof = write("message", message), write("signature", signature)
    return openssl("pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", key,
                   "-in", path, "-sigfile", proof).returncode == 0


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_consistent(old, old_root, size, root, proof):
    """RFC 9162 section 2.1.4.2."""
    if old == 0:
        return proof == []
    if old == size:
        return proof == [] and old_root == root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    f, s = old - 1, size - 1
    while f & 1:
        f, s = f >> 1, s >> 1
    first = second = path[0]
    for hash in path[1:]:
        if s == 0:
            return False
        if f & 1 or f == s:
            first, second = node(hash, first), node(hash, second)
            while f and not f & 1:
                f, s = f >> 1, s >> 1
        else:
            second = node(second, hash)
        f, s = f >> 1, s >> 1
    return s == 0 and first == old_root and second == root


class Refusal(Exception):
    def __init__(self, status, text=""):
        self.status, self.text = status, text


def add_checkpoint(body):
    head, empty, note = body.partition("\n\n")
    lines = head.split("\n")
    if not empty or not lines[0].startswith("old ") or not lines[0][4:].isdigit() or len(lines) > 64:
        raise Refusal(400)
    old, proof = int(lines[0][4:]), [base64.b64decode(line, validate=True) for line in lines[1:]]
    text, empty, signatures = note.partition("\n\n")
    text += "\n"
    if not empty or not signatures.endswith("\n"):
        raise Refusal(400)
    origin, size, root = text.split("\n")[:3]
    size, root = int(size), base64.b64decode(root, validate=True)
    if origin != log_name:
        raise Refusal(404)
    public = base64.b64decode(log_public)[1:]
    for line in signatures.splitlines():
        dash, signer, octets = line.split(" ")
        octets = base64.b64decode(octets)
        if dash == "—" and signer == log_name and octets[:4].hex() == log_id:
            if verify(public, text.encode(), octets[4:]):
                break
    else:
        raise Refusal(403)
    if old > size:
        raise Refusal(400)
    with open(f"{folder}/seen") as file:
        seen, seen_root = file.read().split()
    if old != int(seen):
        raise Refusal(409, seen + "\n")
    if old == size and seen_root != root.hex():
        raise Refusal(409, seen + "\n")
    if not is_consistent(old, bytes.fromhex(seen_root), size, root, proof):
        raise Refusal(422)
    write("seen", f"{size} {root.hex()}".encode())
    now = int(time.time())
    signature = key_id + now.to_bytes(8, "big") + sign(f"cosignature/v1\ntime {now}\n{text}".encode())
    return f"— {name} {base64.b64encode(signature).decode()}\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            status, text = (200, add_checkpoint(body)) if self.path == "/add-checkpoint" else (404, "")
        except Refusal as refusal:
            status, text = refusal.status, refusal.text
        except ValueError:
            status, text = 400, ""
        self.send_response(status)
        if status == 409:
            self.send_header("Content-Type", "text/x.tlog.size")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        pass


if not os.path.exists(f"{folder}/key.pem"):
    openssl("genpkey", "-algorithm", "ed25519", "-out", f"{folder}/key.pem")
    write("seen", b"0 " + hashlib.sha256().hexdigest().encode())
own = b"\x04" + openssl("pkey", "-in", f"{folder}/key.pem", "-pubout", "-outform", "DER").stdout[-32:]
key_id = hashlib.sha256(name.encode() + b"\n" + own).digest()[:4]
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, f"{name}+{key_id.hex()}+{base64.b64encode(own).decode()}", flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
