"""Lives of devices, recorded through a gateway, one of every sort that a ledger knows: what seed.py multiplies."""
import base64
import collections
import json
import os
import ssl
import subprocess
import tempfile
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import scenarios
from gateway import host

# device: its name while it is recorded; share: of a hundred lives, how many are like it.
Recorded = collections.namedtuple("Recorded", "device share")
GROUPS = {"laptops": "corp-laptops", "servers": "servers", "network-gear": "network-gear",
          "contractors": "contractors"}


class Recorder:
    def __init__(self, gateway):
        self.gateway = gateway
        self.connections = scenarios.Connections(gateway)
        self.lives = []

    def add(self, service, share, posture="compliant", minutes=1):
        """The name of a new device; all names are of one length, since copies keep the lengths of everything."""
        device = f"{service[0]}-seed-{len(self.lives):02d}-{os.urandom(2).hex()}"
        at = datetime.now(timezone.utc) - timedelta(minutes=minutes)
        facts = [{"source": "intune", "status": posture, "jailbroken": False,
                  "observed_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}]
        line = {"id": device, "serial": None, "udid": None, "groups": [GROUPS[service]], "dns": [host(device)],
                "email": [], "upn": [], "sid": None, "owner": None, "posture": facts if service == "laptops" else []}
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.chmod(file.name, 0o644)
            self.gateway.command("device", "import", file.name)
        self.lives.append(Recorded(device, share))
        return device

    def mint(self, service, device, protocol):
        return json.loads(self.gateway.command(
            "credential", "mint", "--service", service, "--device", device, "--protocol", protocol, "--ttl", "12h",
            "--output", "json"))

    def est(self, service, device, credential=None, key=None, certificate=None):
        """(status of the answer, certificate in PEM when there is one)"""
        request = base64.b64encode(scenarios.certificate_request(device, key or new_key(), service))
        headers = {"Content-Type": "application/pkcs10"}
        connection = self.connections.new()
        if credential:
            user = f"{credential['username']}:{credential['password']}".encode()
            headers["Authorization"] = "Basic " + base64.b64encode(user).decode()
        if certificate:
            connection = self._with_certificate(certificate, key)
        operation = "simplereenroll" if certificate else "simpleenroll"
        connection.request("POST", f"/.well-known/est/{service}/{operation}", request, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if response.status != 200:
            return response.status, None
        return 200, subprocess.run(
            ["openssl", "pkcs7", "-inform", "DER", "-print_certs"], input=base64.b64decode(content),
            capture_output=True, check=True).stdout

    def _with_certificate(self, certificate, key):
        address = self.connections.address
        context = ssl.create_default_context(cadata=(self.gateway.state / "pki/root.pem").read_text())
        with tempfile.NamedTemporaryFile() as file:
            file.write(certificate + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
            file.flush()
            context.load_cert_chain(file.name)
        return scenarios.http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=30)

    def deferred(self, device):
        """The request of a device that waits for approval."""
        rows = self.gateway.command("ledger", "query", "--output", "json",
                                    f"SELECT request_id FROM waiting_approvals WHERE device_id = '{device}'")
        return json.loads(rows)[0]["request_id"]


def new_key():
    return ec.generate_private_key(ec.SECP256R1())


def require(status, wanted, what):
    if status != wanted:
        raise SystemExit(f"{what}: answered {status}, not {wanted}")


def record(gateway):
    """Lives with their shares, as devices lived them."""
    recorder = Recorder(gateway)
    for share in (12, 12, 12):
        device = recorder.add("laptops", share)
        require(recorder.est("laptops", device, recorder.mint("laptops", device, "est"))[0], 200, "EST")
    for service, share, scenario in (
            ("laptops", 6, scenarios.SCEP()), ("network-gear", 6, scenarios.SCEP("network-gear")),
            ("laptops", 3, scenarios.ACME()), ("servers", 4, scenarios.ACME("servers"))):
        device = recorder.add(service, share)
        credential = recorder.mint(service, device, scenario.protocol)
        prepared = scenario.prepare(gateway, [device], [credential])
        scenario.enrol(prepared[0])
        scenario.close()
    renews(recorder)
    refused(recorder)
    contractors(recorder)
    credentials(recorder)
    return recorder.lives


def renews(recorder):
    """Enrols, renews with its certificate, and falls back to a credential."""
    device, key = recorder.add("laptops", 5), new_key()
    status, certificate = recorder.est("laptops", device, recorder.mint("laptops", device, "est"), key)
    require(status, 200, "EST")
    require(recorder.est("laptops", device, key=key, certificate=certificate)[0], 200, "renewal")
    require(recorder.est("laptops", device, recorder.mint("laptops", device, "est"))[0], 200, "fallback")


def refused(recorder):
    for share, posture, minutes in ((7, "noncompliant", 1), (6, "compliant", 6_000), (3, "unknown", 1)):
        device = recorder.add("laptops", share, posture, minutes)
        recorder.est("laptops", device, recorder.mint("laptops", device, "est"))
    # A wrong secret for a credential that is then used, and one for a credential that is not.
    for share, goes_on in ((2, True), (3, False)):
        device = recorder.add("laptops", share)
        credential = recorder.mint("laptops", device, "est")
        last = "B" if credential["password"].endswith("A") else "A"
        recorder.est("laptops", device, credential | {"password": credential["password"][:-1] + last})
        if goes_on:
            require(recorder.est("laptops", device, credential)[0], 200, "EST after a wrong guess")
    # Nobody that is known.
    recorder.est("laptops", device, credential | {"password": "A" * len(credential["password"])})
    recorder.lives.append(Recorded(None, 3))


def contractors(recorder):
    for share, verdict in ((3, "approve"), (1, "deny"), (1, None)):
        device, key = recorder.add("contractors", share), new_key()
        credential = recorder.mint("contractors", device, "est")
        require(recorder.est("contractors", device, credential, key)[0], 202, "contractor")
        if verdict:
            recorder.gateway.command("approval", verdict, recorder.deferred(device), "--reason", "contract 4711")
            recorder.est("contractors", device, credential, key)


def credentials(recorder):
    """Spent and then stolen; never used; revoked; revoked and then presented."""
    device = recorder.add("laptops", 2)
    credential = recorder.mint("laptops", device, "est")
    recorder.est("laptops", device, credential)
    recorder.est("laptops", device, credential)
    for share, is_revoked, is_presented in ((6, False, False), (2, True, False), (1, True, True)):
        device = recorder.add("laptops", share)
        credential = recorder.mint("laptops", device, "est")
        if is_revoked:
            recorder.gateway.command("credential", "revoke", credential["id"], "--reason", "the laptop was lost")
        if is_presented:
            recorder.est("laptops", device, credential)
