"""What devices do, one class for each way in. `prepare` runs before the clock, `enrol` under it."""
import base64
import hashlib
import hmac
import http.client
import http.server
import json
import ssl
import subprocess
import threading
import urllib.parse
from concurrent.futures import ProcessPoolExecutor

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

import scep_message
from gateway import host

DER = serialization.Encoding.DER


class Failed(Exception):
    pass


def require(condition, *what):
    if not condition:
        raise Failed(" ".join(map(str, what)))


def certificate_request(device, key, service="laptops"):
    """DER of a request with the names that the starter policy grants: servers DNS names alone, contractors none."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)] if service != "servers" else [])
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    if service != "contractors":
        request = request.add_extension(x509.SubjectAlternativeName([x509.DNSName(host(device))]), False)
    return request.sign(key, hashes.SHA256()).public_bytes(DER)


class Connections:
    """One TLS connection a thread where connections are kept, else one a call."""

    def __init__(self, gateway):
        self.address = urllib.parse.urlsplit(gateway.endpoints["tls"])
        self.context = ssl.create_default_context(cadata=(gateway.state / "pki/root.pem").read_text())
        self.local = threading.local()

    def new(self):
        return http.client.HTTPSConnection(
            self.address.hostname, self.address.port, context=self.context, timeout=30)

    def kept(self):
        if not hasattr(self.local, "connection"):
            self.local.connection = self.new()
        return self.local.connection


class EST:
    protocol = "est"

    def __init__(self, keeps_connections):
        self.keeps_connections = keeps_connections

    def prepare(self, gateway, devices, credentials):
        self.connections = Connections(gateway)
        return [self._request(*pair) for pair in zip(devices, credentials)]

    def _request(self, device, credential):
        key = ec.generate_private_key(ec.SECP256R1())
        user = f"{credential['username']}:{credential['password']}".encode()
        return base64.b64encode(certificate_request(device, key)), {
            "Content-Type": "application/pkcs10", "Authorization": "Basic " + base64.b64encode(user).decode()}

    def enrol(self, prepared):
        body, headers = prepared
        connection = self.connections.kept() if self.keeps_connections else self.connections.new()
        connection.request("POST", "/.well-known/est/laptops/simpleenroll", body, headers)
        response = connection.getresponse()
        content = response.read()
        require(response.status == 200, response.status, content)
        if not self.keeps_connections:
            connection.close()

    def close(self):
        pass


class SCEP:
    protocol = "scep"

    def __init__(self, service="laptops"):
        self.service = service

    def prepare(self, gateway, devices, credentials):
        self.address = urllib.parse.urlsplit(gateway.endpoints["http"])
        bag = subprocess.run(
            ["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=self._call("GET", "GetCACert"),
            capture_output=True, check=True).stdout
        certificates = x509.load_pem_x509_certificates(bag)
        recipient = next(one for one in certificates if isinstance(
            one.public_key(), scep_message.rsa.RSAPublicKey))
        with ProcessPoolExecutor(2) as pool:
            keys = list(pool.map(scep_message.new_key, devices))
        return [scep_message.pkcs_req(device, credential["challenge_password"], key, recipient)
                for device, credential, key in zip(devices, credentials, keys)]

    def _call(self, method, operation, body=None):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=30)
        connection.request(method, f"/scep/{self.service}?operation={operation}", body,
                           {"Content-Type": "application/x-pki-message"} if body else {})
        response = connection.getresponse()
        content = response.read()
        connection.close()
        require(response.status == 200, response.status, content)
        return content

    def enrol(self, prepared):
        reply = self._call("POST", "PKIOperation", prepared)
        require(scep_message.SUCCESS in reply, "the CertRep is no SUCCESS")

    def close(self):
        pass


class ACME:
    protocol = "acme"

    def __init__(self, service="laptops"):
        self.service = service

    def prepare(self, gateway, devices, credentials):
        self.connections = Connections(gateway)
        self.answers = {}
        self._answer_challenges(gateway.endpoints["http01_port"])
        self.directory = self._directory()
        return [(device, credential, ec.generate_private_key(ec.SECP256R1()),
                 certificate_request(device, ec.generate_private_key(ec.SECP256R1()), self.service))
                for device, credential in zip(devices, credentials)]

    def _answer_challenges(self, port):
        answers = self.answers

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                content = answers.get(self.path.rpartition("/")[2], "").encode()
                self.send_response(200 if content else 404)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def _directory(self):
        connection = self.connections.new()
        connection.request("GET", f"/acme/{self.service}/directory")
        return json.loads(connection.getresponse().read())

    def enrol(self, prepared):
        device, credential, key, request = prepared
        account = Account(self.connections.new(), key)
        try:
            account.first_nonce(self.directory["newNonce"])
            account.register(self.directory["newAccount"], credential)
            order = account.post(self.directory["newOrder"], {
                "identifiers": [{"type": "dns", "value": host(device)}]})
            authorization = account.post(order["authorizations"][0], None)
            challenge = next(one for one in authorization["challenges"] if one["type"] == "http-01")
            self.answers[challenge["token"]] = f"{challenge['token']}.{account.thumbprint}"
            answered = account.post(challenge["url"], {})
            require(answered["status"] == "valid", answered)
            final = account.post(order["finalize"], {"csr": encoded(request)})
            require(final["status"] == "valid", final)
            account.post(final["certificate"], None)
        finally:
            account.connection.close()


class Account:
    """An ACME client as small as can be (RFC 8555 §6)."""

    def __init__(self, connection, key):
        self.connection, self.key, self.url = connection, key, None
        numbers = key.public_key().public_numbers()
        self.jwk = {"crv": "P-256", "kty": "EC", "x": encoded(numbers.x.to_bytes(32, "big")),
                    "y": encoded(numbers.y.to_bytes(32, "big"))}
        self.thumbprint = encoded(hashlib.sha256(compact(self.jwk)).digest())

    def first_nonce(self, url):
        self._call("HEAD", url, None, {})

    def register(self, url, credential):
        header = {"alg": "HS256", "kid": credential["kid"], "url": url}
        signing_input = f"{encoded(compact(header))}.{encoded(compact(self.jwk))}"
        key = base64.urlsafe_b64decode(credential["hmac_key"] + "==")
        code = hmac.new(key, signing_input.encode(), hashlib.sha256).digest()
        protected, payload = signing_input.split(".")
        response, _ = self._signed(url, {
            "termsOfServiceAgreed": True, "externalAccountBinding": {
                "protected": protected, "payload": payload, "signature": encoded(code)}})
        self.url = response.getheader("Location")

    def post(self, url, payload):
        response, content = self._signed(url, payload)
        return json.loads(content) if "json" in response.getheader("Content-Type", "") else content

    def _signed(self, url, payload):
        header = {"alg": "ES256", "nonce": self.nonce, "url": url}
        header.update({"kid": self.url} if self.url else {"jwk": self.jwk})
        protected, content = encoded(compact(header)), "" if payload is None else encoded(compact(payload))
        signature = self.key.sign(f"{protected}.{content}".encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(signature)
        return self._call("POST", url, compact({
            "protected": protected, "payload": content,
            "signature": encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))}),
            {"Content-Type": "application/jose+json"})

    def _call(self, method, url, body, headers):
        self.connection.request(method, urllib.parse.urlsplit(url).path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        require(response.status < 300, method, url, response.status, content)
        self.nonce = response.getheader("Replay-Nonce")
        return response, content


def compact(document):
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def encoded(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


ALL = {
    "EST, new connection": lambda: EST(keeps_connections=False),
    "EST, keep-alive": lambda: EST(keeps_connections=True),
    "SCEP, PKIOperation": SCEP,
    "ACME, whole flow": ACME,
}
