"""Makes the certificate requests of Tests/ACMETests/CertificateRequestVectors.swift (needs pyca/cryptography)."""
import base64
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import (
    CertificateSigningRequestBuilder, DNSName, Name, NameAttribute, SubjectAlternativeName)
from cryptography.x509.oid import NameOID

NAME = "lt-042.devices.localhost"


def encode(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def request(key, names, common_name=None):
    subject = Name([NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    builder = CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(SubjectAlternativeName([DNSName(name) for name in names]), False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


first = ec.generate_private_key(ec.SECP256R1())
second = ec.generate_private_key(ec.SECP256R1())
account = ec.derive_private_key(int.from_bytes(bytes(range(1, 33)), "big"), ec.SECP256R1())
san = request(first, [NAME])
vectors = {
    "san": san,
    "sanCn": request(first, [NAME], NAME),
    "sanUpper": request(first, [NAME.upper()]),
    "cnOnly": request(first, [], NAME),
    "cnDevice": request(first, [NAME], "LT-042"),
    "otherName": request(first, ["lt-043.devices.localhost"]),
    "extraName": request(first, [NAME, "x.devices.localhost"]),
    "secondKey": request(second, [NAME]),
    "accountKey": request(account, [NAME]),
    "rsa1024": request(rsa.generate_private_key(65537, 1024), [NAME]),
    "badSignature": san[:-1] + bytes([san[-1] ^ 1]),
}
for name, octets in vectors.items():
    print(name, encode(octets))
