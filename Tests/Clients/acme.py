"""An ACME device (RFC 8555) that can misbehave: standard input holds one JSON object, standard output its answer.

Reads: directory, root (file), kid, hmac_key, names, http01_port, common_name, key (default p256), authority,
saved (a file that keeps account, order and request for a retry),
fault (step, kind: nonce, replayed_nonce, url, alg, none_alg, signature, payload, not_json, padding, oversized, csr),
binding_secret (another HMAC key).
Writes: step (the last one), status, type, detail, request, retry_after, certificate (PEM).
"""

import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import certification


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def text(document):
    return json.dumps(document).encode()


class Refused(Exception):
    """An answer that is not what the step wants."""


class Device:
    def __init__(self, spec):
        self.spec = spec
        self.tls = ssl.create_default_context(cafile=spec["root"])
        self.nonce = None
        self.last = {}
        self.account = None
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.directory = json.loads(self.fetch(spec["directory"])[2])

    def fetch(self, url, body=None, kind="application/jose+json"):
        try:
            request = urllib.request.Request(url, body, {"Content-Type": kind})
            with urllib.request.urlopen(request, timeout=40, context=self.tls) as response:
                status, headers, received = response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            status, headers, received = error.code, error.headers, error.read()
        except (urllib.error.URLError, OSError):
            status, headers, received = 0, {}, b""
        self.nonce = headers.get("Replay-Nonce") or self.nonce
        return status, headers, received

    def jwk(self):
        numbers = self.key.public_key().public_numbers()
        x, y = (encode(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    def thumbprint(self):
        canonical = json.dumps(self.jwk(), sort_keys=True, separators=(",", ":"))
        return encode(hashlib.sha256(canonical.encode()).digest())

    def sign(self, signing_input):
        r, s = decode_dss_signature(self.key.sign(signing_input, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def body(self, url, payload, fault):
        header = {"alg": "ES256", "nonce": self.nonce, "url": url}
        header |= {"kid": self.account} if self.account else {"jwk": self.jwk()}
        match fault:
            case "nonce": header["nonce"] = encode(b"no nonce of yours, at all")
            case "url": header["url"] = url + "x"
            case "alg": header["alg"] = "HS256"
            case "none_alg": header["alg"] = "none"
        protected = encode(text(header))
        content = "" if payload is None else encode(b"{" if fault == "payload" else text(payload))
        signature = self.sign(f"{protected}.{content}".encode())
        if fault == "signature":
            signature = bytes([signature[0] ^ 1]) + signature[1:]
        jws = {"protected": protected, "payload": content, "signature": encode(signature)}
        match fault:
            case "not_json": return text(jws)[:-1]
            case "padding": jws["payload"] += "="
            case "oversized": jws["filler"] = "x" * 200_000
        return text(jws)

    def post(self, step, url, payload):
        """The headers and document of a step, which must answer 2xx."""
        self.last = {"step": step}
        if self.nonce is None:
            self.fetch(self.directory["newNonce"])
        fault = self.spec.get("fault", {})
        fault = fault["kind"] if fault.get("step") == step else None
        if fault == "csr":
            payload = {"csr": encode(b"0 is the first octet of a SEQUENCE, but this is none")}
        body = self.body(url, payload, fault)
        self.nonce = None
        status, headers, received = self.fetch(url, body)
        if fault == "replayed_nonce":
            status, headers, received = self.fetch(url, body)
        is_json = "json" in (headers.get("Content-Type") or "")
        document = json.loads(received) if is_json else received.decode(errors="replace")
        self.last |= {"status": status, "retry_after": headers.get("Retry-After")}
        if not 200 <= status < 300:
            if is_json:
                kind = document["type"].removeprefix("urn:ietf:params:acme:error:")
                request = document["instance"].removeprefix("urn:uuid:")
                self.last |= {"type": kind, "detail": document["detail"], "request": request}
            raise Refused
        return headers, document

    def binding(self, url):
        protected = encode(text({"alg": "HS256", "kid": self.spec["kid"], "url": url}))
        payload = encode(text(self.jwk()))
        secret = self.spec.get("binding_secret") or self.spec["hmac_key"]
        secret = base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        code = hmac.digest(secret, f"{protected}.{payload}".encode(), "sha256")
        return {"protected": protected, "payload": payload, "signature": encode(code)}

    def create_account(self):
        url = self.directory["newAccount"]
        payload = {"termsOfServiceAgreed": True}
        if "kid" in self.spec:
            payload["externalAccountBinding"] = self.binding(url)
        headers, _ = self.post("new_account", url, payload)
        self.account = headers["Location"]

    def place_order(self):
        names = [{"type": "dns", "value": name} for name in self.spec["names"]]
        _, order = self.post("new_order", self.directory["newOrder"], {"identifiers": names})
        for url in order["authorizations"]:
            self.authorize(url)
        return {"finalize": order["finalize"], "csr": encode(self.request())}

    def request(self):
        wish = {"dns": self.spec["names"]}
        wish |= {name: self.spec[name] for name in ("common_name", "authority") if name in self.spec}
        return certification.request(certification.key(self.spec.get("key", "p256")), wish)

    def authorize(self, url):
        _, authorization = self.post("authorization", url, None)
        challenge = next(one for one in authorization["challenges"] if one["type"] == "http-01")
        with Answering(self.spec["http01_port"], f"{challenge['token']}.{self.thumbprint()}"):
            self.post("challenge", challenge["url"], {})
            for _ in range(50):
                _, authorization = self.post("authorization", url, None)
                if authorization["status"] != "pending":
                    break
                time.sleep(0.1)

    def saved(self):
        path = self.spec.get("saved")
        return path if path and pathlib.Path(path).exists() else None

    def moved(self, url):
        """A kept URL, where the server is now: started again it may have another port."""
        here = urllib.parse.urlsplit(self.spec["directory"])
        return urllib.parse.urlsplit(url)._replace(netloc=here.netloc).geturl()

    def run(self):
        if path := self.saved():
            kept = json.loads(pathlib.Path(path).read_text())
            self.key, self.account = certification.load(kept["key"]), self.moved(kept["account"])
            order = kept["order"] | {"finalize": self.moved(kept["order"]["finalize"])}
        else:
            self.create_account()
            order = self.place_order()
            if path := self.spec.get("saved"):
                kept = {"key": certification.pem(self.key), "account": self.account, "order": order}
                pathlib.Path(path).write_text(json.dumps(kept))
        _, finished = self.post("finalize", order["finalize"], {"csr": order["csr"]})
        _, certificate = self.post("certificate", finished["certificate"], None)
        self.last["certificate"] = certificate


class Answering:
    """The device's web server while its control of a name is looked at."""

    def __init__(self, port, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_):
                pass

        self.make = lambda: http.server.HTTPServer(("127.0.0.1", port), Handler)

    def __enter__(self):
        for _ in range(200):
            try:
                self.server = self.make()
                break
            except OSError:
                time.sleep(0.1)  # another device's turn
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def main():
    device = Device(json.load(sys.stdin))
    try:
        device.run()
    except Refused:
        pass
    json.dump(device.last, sys.stdout)


main()
