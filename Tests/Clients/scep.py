"""A SCEP device (RFC 8894) of its own kind: standard input holds one JSON object, standard output its answer.

Reads: url, key (default rsa2048), signing_key (default: the same), common_name, dns, challenge, authority,
message_type (19), body (hexadecimal, sent instead of a message), content (hexadecimal, put into the envelope
instead of a request), padding (octets appended to the body), saved (a file that keeps the message for a retry).
Writes: http, retry_after, status (0, 2, 3), fail_info, text, request, certificate (PEM).
"""

import hashlib
import json
import os
import pathlib
import re
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

import certification


# Distinguished encoding, as much as a pkiMessage takes.


def tlv(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(octets)]) + octets + body


def sequence(*parts):
    return tlv(0x30, *parts)


def sorted_set(*parts):
    return tlv(0x31, *sorted(parts))


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def identifier(dotted):
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    octets = bytearray([first * 40 + second])
    for arc in rest:
        groups = [arc & 127]
        while arc := arc >> 7:
            groups.append(128 | arc & 127)
        octets += bytes(reversed(groups))
    return tlv(0x06, bytes(octets))


def read(data, at=0):
    """Tag, contents and end of the element at `at`."""
    tag, size, at = data[at], data[at + 1], at + 2
    if size & 128:
        count = size & 127
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    return tag, data[at : at + size], at + size


def members(data):
    found, at = [], 0
    while at < len(data):
        start = at
        tag, body, at = read(data, at)
        found.append((tag, body, data[start:at]))
    return found


DATA, SIGNED, ENVELOPED = (f"1.2.840.113549.1.7.{n}" for n in (1, 2, 3))
SHA256, RSA, SHA256_RSA = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"
AES256_CBC = "2.16.840.1.101.3.4.1.42"
SCEP = "2.16.840.1.113733.1.9."
NULL = b"\x05\x00"


def issuer_and_serial(certificate):
    return sequence(certificate.issuer.public_bytes(), integer(certificate.serial_number))


def envelope(content, recipient):
    key, start = os.urandom(32), os.urandom(16)
    fill = 16 - len(content) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    sealed = encryptor.update(content + bytes([fill]) * fill) + encryptor.finalize()
    info = sequence(
        integer(0), issuer_and_serial(recipient), sequence(identifier(RSA), NULL),
        tlv(0x04, recipient.public_key().encrypt(key, padding.PKCS1v15())))
    algorithm = sequence(identifier(AES256_CBC), tlv(0x04, start))
    data = sequence(
        integer(0), tlv(0x31, info), sequence(identifier(DATA), algorithm, tlv(0x80, sealed)))
    return sequence(identifier(ENVELOPED), tlv(0xA0, data))


def attribute(name, value):
    return sequence(identifier(name), tlv(0x31, value))


def signed(content, certificate, key, message_type, transaction):
    attributes = [
        attribute("1.2.840.113549.1.9.3", identifier(DATA)),
        attribute("1.2.840.113549.1.9.4", tlv(0x04, hashlib.sha256(content).digest())),
        attribute(SCEP + "2", tlv(0x13, message_type.encode())),
        attribute(SCEP + "5", tlv(0x04, os.urandom(16))),
        attribute(SCEP + "7", tlv(0x13, transaction.encode())),
    ]
    signature = key.sign(sorted_set(*attributes), padding.PKCS1v15(), hashes.SHA256())
    digest = sequence(identifier(SHA256), NULL)
    info = sequence(
        integer(1), issuer_and_serial(certificate), digest, tlv(0xA0, *sorted(attributes)),
        sequence(identifier(RSA), NULL), tlv(0x04, signature))
    data = sequence(
        integer(1), tlv(0x31, digest),
        sequence(identifier(DATA), tlv(0xA0, tlv(0x04, content))),
        tlv(0xA0, certificate.public_bytes(serialization.Encoding.DER)), tlv(0x31, info))
    return sequence(identifier(SIGNED), tlv(0xA0, data))


def self_signed(key, common_name):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def fetch(url, body=None):
    try:
        kind = {"Content-Type": "application/x-pki-message"}
        with urllib.request.urlopen(urllib.request.Request(url, body, kind), timeout=40) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except (urllib.error.URLError, OSError):
        return 0, {}, b""


def octets(text):
    """The contents of an OCTET STRING, whether in one piece or in several."""
    tag, body, _ = text
    return body if tag & 0x20 == 0 else b"".join(octets(part) for part in members(body))


def opened(data, certificate, key):
    """The content of an EnvelopedData encrypted to `certificate`."""
    _, body, _ = members(members(read(data)[1])[1][1])[0]
    parts = members(body)
    sealed_key = octets(members(members(parts[1][1])[0][1])[3])
    content = members(parts[2][1])
    start = octets(members(content[1][1])[1])
    clear = key.decrypt(sealed_key, padding.PKCS1v15())
    decryptor = Cipher(algorithms.AES(clear), modes.CBC(start)).decryptor()
    text = decryptor.update(octets(content[2])) + decryptor.finalize()
    return text[: -text[-1]]


def answer(body, certificate, key, registration_authority):
    """What a CertRep says, its signature checked."""
    data = members(members(read(body)[1])[1][1])[0][1]
    parts = members(data)
    info = members(members(parts[-1][1])[0][1])
    signed_attributes = next(entry for entry in info if entry[0] == 0xA0)
    signature = octets(info[-1])
    registration_authority.public_key().verify(
        signature, b"\x31" + signed_attributes[2][1:], padding.PKCS1v15(), hashes.SHA256())
    values = {}
    for _, entry, _ in members(signed_attributes[1]):
        name, value = members(entry)
        values[name[2]] = read(value[1])[1]
    found = {"status": values[identifier(SCEP + "3")].decode()}
    if found["status"] == "2":
        found["fail_info"] = values[identifier(SCEP + "4")].decode()
        found["text"] = values[identifier("1.3.6.1.5.5.7.24.1")].decode()
    if found["status"] == "0":
        content = members(parts[2][1])
        bag = opened(octets(members(content[1][1])[0]), certificate, key)
        [issued] = pkcs7.load_der_pkcs7_certificates(bag)
        found["certificate"] = issued.public_bytes(serialization.Encoding.PEM).decode()
    return found


def message(spec, registration_authority):
    key = certification.key(spec.get("key", "rsa2048"))
    signer = certification.key(spec["signing_key"]) if "signing_key" in spec else key
    request = bytes.fromhex(spec["content"]) if "content" in spec else certification.request(key, spec)
    certificate = self_signed(signer, spec.get("common_name") or "device")
    transaction = hashlib.sha256(certification.spki(key.public_key())).hexdigest()
    kind = str(spec.get("message_type", 19))
    body = signed(envelope(request, registration_authority), certificate, signer, kind, transaction)
    return body, certificate, signer


def kept(path, make):
    """Body, certificate and key of an earlier run, or those of `make`, kept from here on."""
    if path and pathlib.Path(path).exists():
        saved = json.loads(pathlib.Path(path).read_text())
        certificate = x509.load_pem_x509_certificate(saved["certificate"].encode())
        return bytes.fromhex(saved["body"]), certificate, certification.load(saved["key"])
    body, certificate, key = make()
    if path:
        text = certificate.public_bytes(serialization.Encoding.PEM).decode()
        saved = {"body": body.hex(), "certificate": text, "key": certification.pem(key)}
        pathlib.Path(path).write_text(json.dumps(saved))
    return body, certificate, key


def main():
    spec = json.load(sys.stdin)
    http, headers, received = fetch(spec["url"] + "?operation=GetCACert")
    if http != 200:
        return report(http, headers, received)
    registration_authority = next(
        one for one in pkcs7.load_der_pkcs7_certificates(received)
        if one.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment)
    body, certificate, key = b"", None, None
    if "body" in spec:
        body = bytes.fromhex(spec["body"])
    else:
        body, certificate, key = kept(spec.get("saved"), lambda: message(spec, registration_authority))
    body += b"\0" * spec.get("padding", 0)
    http, headers, received = fetch(spec["url"] + "?operation=PKIOperation", body)
    if http == 200 and received[:1] == b"0":
        report(http, headers, b"", answer(received, certificate, key, registration_authority))
    else:
        report(http, headers, received)


def report(http, headers, received, said=None):
    found = {"http": http, "retry_after": headers.get("Retry-After"), "text": received.decode(errors="replace")}
    found |= said or {}
    if match := re.search(r"request ([0-9a-f-]{36})", found.get("text") or ""):
        found["request"] = match[1]
    json.dump(found, sys.stdout)


main()
