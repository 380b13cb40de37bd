"""Certification requests, good and bad, for the test devices beside this file (cryptography alone)."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AttributeOID, NameOID

CURVES = {
    "p256": ec.SECP256R1,
    "secp256k1": ec.SECP256K1,
    "brainpool": ec.BrainpoolP256R1,
}


def key(kind):
    """A fresh private key: a curve's name, or rsa and the number of bits."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    return ec.generate_private_key(CURVES[kind]())


def request(private_key, spec):
    """DER of a PKCS#10 request. `spec` has: common_name, dns, challenge, authority (wants to be a CA)."""
    builder = x509.CertificateSigningRequestBuilder()
    common_name = spec.get("common_name")
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = builder.subject_name(x509.Name(attributes))
    if spec.get("dns"):
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in spec["dns"]])
        builder = builder.add_extension(names, critical=False)
    if spec.get("authority"):
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if spec.get("challenge"):
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, spec["challenge"].encode())
    signed = builder.sign(private_key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.DER)


def pem(private_key):
    """PKCS#8 PEM of a private key."""
    return private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def load(text):
    """The private key in a PEM text."""
    return serialization.load_pem_private_key(text.encode(), None)


def spki(public_key):
    """DER of the SubjectPublicKeyInfo."""
    return public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
