"""A SCEP PKCSReq (RFC 8894 §3.3.1) written byte by byte, so that no code of ours is on both sides."""
import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509.oid import AttributeOID, NameOID

DER = serialization.Encoding.DER
# pkiStatus, with the value SUCCESS.
SUCCESS = bytes.fromhex("060a6086480186f8450109033103130130")


def new_key(_=None):
    """DER of a fresh RSA key; may run in another process."""
    return rsa.generate_private_key(65537, 2048).private_bytes(
        DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def tlv(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x80 | (size.bit_length() + 7) // 8]) + size.to_bytes(
        (size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + length + content


def sequence(*parts):
    return tlv(0x30, *parts)


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray([first * 40 + second])
    for arc in rest:
        septets = [arc & 127]
        while arc := arc >> 7:
            septets.append(arc & 127 | 128)
        content += bytes(reversed(septets))
    return tlv(6, bytes(content))


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


DATA, SIGNED, ENVELOPED = (oid(f"1.2.840.113549.1.7.{number}") for number in (1, 2, 3))
SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"))
RSA = sequence(oid("1.2.840.113549.1.1.1"), tlv(5))


def attribute(name, value):
    return sequence(oid(name), tlv(0x31, value))


def issuer_and_serial(certificate):
    return sequence(certificate.issuer.public_bytes(), integer(certificate.serial_number))


def envelope(content, recipient):
    key, iv = os.urandom(32), os.urandom(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    encrypted = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
    transported = recipient.public_key().encrypt(key, rsa_padding.PKCS1v15())
    information = sequence(integer(0), issuer_and_serial(recipient), RSA, tlv(4, transported))
    cipher = sequence(oid("2.16.840.1.101.3.4.1.42"), tlv(4, iv))
    return sequence(ENVELOPED, tlv(0xA0, sequence(
        integer(0), tlv(0x31, information), sequence(DATA, cipher, tlv(0x80, encrypted)))))


def self_signed(key, name):
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()))


def pkcs_req(device, challenge, key_der, recipient):
    """DER of the pkiMessage by which `device` asks for a certificate."""
    key = serialization.load_der_private_key(key_der, None)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    request = (x509.CertificateSigningRequestBuilder().subject_name(name)
               .add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
               .sign(key, hashes.SHA256())).public_bytes(DER)
    certificate = self_signed(key, name)
    content = envelope(request, recipient)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    attributes = b"".join(sorted([
        attribute("1.2.840.113549.1.9.3", DATA),
        attribute("1.2.840.113549.1.9.4", tlv(4, digest.finalize())),
        attribute("2.16.840.1.113733.1.9.2", tlv(0x13, b"19")),
        attribute("2.16.840.1.113733.1.9.5", tlv(4, os.urandom(16))),
        attribute("2.16.840.1.113733.1.9.7", tlv(0x13, os.urandom(16).hex().encode())),
    ]))
    signature = key.sign(tlv(0x31, attributes), rsa_padding.PKCS1v15(), hashes.SHA256())
    signer = sequence(
        integer(1), issuer_and_serial(certificate), SHA256, tlv(0xA0, attributes), RSA, tlv(4, signature))
    return sequence(SIGNED, tlv(0xA0, sequence(
        integer(1), tlv(0x31, SHA256), sequence(DATA, tlv(0xA0, tlv(4, content))),
        tlv(0xA0, certificate.public_bytes(DER)), tlv(0x31, signer))))
