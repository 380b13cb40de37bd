#!/usr/bin/env python3
"""Writes the request vectors of this folder. Needs the openssl command; see README.md."""
import os, random, subprocess, tempfile

here = os.path.dirname(os.path.abspath(__file__))
work = tempfile.mkdtemp()

def tlv(tag, body):
    n = len(body)
    size = bytes([n]) if n < 128 else (lambda b: bytes([0x80 | len(b)]) + b)(n.to_bytes((n.bit_length() + 7) // 8, "big"))
    return bytes([tag]) + size + body

def seq(*parts): return tlv(0x30, b"".join(parts))
def set_(*parts): return tlv(0x31, b"".join(parts))
def ctx(n, body): return tlv(0xa0 | n, body)
def prim(n, body): return tlv(0x80 | n, body)
def utf8(text): return tlv(0x0c, text.encode())
def octets(body): return tlv(0x04, body)
def bits(body): return tlv(0x03, b"\0" + body)
def integer(value): return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))
TRUE = b"\x01\x01\xff"
NULL = b"\x05\x00"

def oid(dotted):
    arcs = [int(a) for a in dotted.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        part = bytes([arc & 0x7f])
        arc >>= 7
        while arc:
            part = bytes([0x80 | arc & 0x7f]) + part
            arc >>= 7
        out += part
    return tlv(0x06, out)

def run(*args, data=None): return subprocess.run(args, input=data, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

def key(name, *options):
    path = os.path.join(work, name)
    run("openssl", "genpkey", *options, "-out", path)
    return path

def rsa(name, size, *more): return key(name, "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{size}", *more)
def ec(name, curve, *more): return key(name, "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", *more)
def spki(path, *more): return run("openssl", "pkey", "-in", path, "-pubout", "-outform", "DER", *more)

ECDSA = {h: seq(oid(f"1.2.840.10045.4.3.{n}")) for h, n in (("sha256", 2), ("sha384", 3), ("sha512", 4))}
ECDSA["sha1"] = seq(oid("1.2.840.10045.4.1"))
RSA = {h: seq(oid(f"1.2.840.113549.1.1.{n}"), NULL) for h, n in (("md5", 4), ("sha1", 5), ("sha256", 11), ("sha384", 12), ("sha512", 13))}
PSS = seq(oid("1.2.840.113549.1.1.10"), seq(
    ctx(0, seq(oid("2.16.840.1.101.3.4.2.1"), NULL)),
    ctx(1, seq(oid("1.2.840.113549.1.1.8"), seq(oid("2.16.840.1.101.3.4.2.1"), NULL))), ctx(2, integer(32))))
ED25519, ED448 = seq(oid("1.3.101.112")), seq(oid("1.3.101.113"))

def attribute(kind, *values): return seq(oid(kind), set_(*values))
def extension(kind, body, critical=b""): return seq(oid(kind), critical, octets(body))
EXTREQ, MSEXT, CHALLENGE = "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.2.1.14", "1.2.840.113549.1.9.7"
def extreq(*extensions): return attribute(EXTREQ, seq(*extensions))
def san(*names): return extension("2.5.29.17", seq(*names))
def dns(text): return prim(2, text.encode())
def rdn(kind, value): return set_(seq(oid(kind), value))
def cn(text): return rdn("2.5.4.3", utf8(text))

NAME = seq(cn("lt-042.devices.example"))
HOST = extreq(san(dns("lt-042.devices.example")))

def sign(path, info, digest=None, *options):
    data = os.path.join(work, "tbs")
    open(data, "wb").write(info)
    if digest is None: return run("openssl", "pkeyutl", "-sign", "-inkey", path, "-rawin", "-in", data)
    return run("openssl", "dgst", "-" + digest, "-sign", path, *options, data)

def save(name, der): open(os.path.join(here, name + ".der"), "wb").write(der)

def request(name, path, algorithm, digest="sha256", subject=NAME, attributes=(HOST,), info_key=None, field=True,
            options=(), tail=b"", signature=None):
    body = b"".join(attributes)
    info = seq(b"\x02\x01\x00", subject, info_key or spki(path), ctx(0, body) if field else b"")
    made = signature if signature is not None else sign(path, info, digest, *options)
    save(name, seq(info, algorithm, bits(made)) + tail)

p256 = ec("p256", "P-256")
def p(name, **more): request(name, p256, ECDSA["sha256"], **more)

# Keys and signatures.
r2048 = rsa("r2048", 2048)
p("p256")
for h in ("sha384", "sha512", "sha1"): request(f"p256-{h}", p256, ECDSA[h], h)
request("p384", ec("p384", "P-384"), ECDSA["sha384"], "sha384")
request("p521", ec("p521", "P-521"), ECDSA["sha512"], "sha512")
request("rsa2048", r2048, RSA["sha256"])
for h in ("sha384", "sha512", "sha1", "md5"): request(f"rsa2048-{h}", r2048, RSA[h], h)
request("rsa3072", rsa("r3072", 3072), RSA["sha256"])
request("rsa4096", rsa("r4096", 4096), RSA["sha256"])
request("rsa1024", rsa("r1024", 1024), RSA["sha256"])
request("rsa2056", rsa("r2056", 2056), RSA["sha256"])
request("rsa-e3", rsa("re3", 2048, "-pkeyopt", "rsa_keygen_pubexp:3"), RSA["sha256"])
request("rsa-pss-signature", r2048, PSS, options=("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"))
request("rsa-pss-key", key("pss", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048"), PSS,
        options=("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"))
request("ed25519", key("ed25519", "-algorithm", "ED25519"), ED25519, None)
request("ed448", key("ed448", "-algorithm", "ED448"), ED448, None)
request("secp256k1", ec("k1", "secp256k1"), ECDSA["sha256"])
request("brainpool", ec("bp", "brainpoolP256r1"), ECDSA["sha256"])
request("explicit-curve", p256, ECDSA["sha256"], info_key=spki(p256, "-ec_param_enc", "explicit"))
request("compressed-point", p256, ECDSA["sha256"], info_key=spki(p256, "-ec_conv_form", "compressed"))
point = spki(p256)
p("point-off-curve", info_key=point[:-1] + bytes([point[-1] ^ 1]))
p("bad-signature", signature=sign(p256, b"something else", "sha256"))
request("signature-of-other-kind", p256, RSA["sha256"])
request("ecdsa-with-null", p256, seq(oid("1.2.840.10045.4.3.2"), NULL))

def rsa_spki(n): return seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(n), integer(65537))))
primes = [n for n in range(2, 752) if all(n % d for d in range(2, int(n ** 0.5) + 1))]
product = 1
for prime in primes:
    if prime <= 167: product *= prime
while True:
    roca = random.getrandbits(2048 - product.bit_length()) * product + pow(65537, random.getrandbits(64), product)
    if roca.bit_length() == 2048 and all(roca % prime for prime in primes): break
request("rsa-roca", r2048, RSA["sha256"], info_key=rsa_spki(roca), signature=bytes(256))
while True:
    weak = random.getrandbits(2048) * 751 | 1
    if weak.bit_length() == 2048 and weak % 751 == 0 and all(weak % prime for prime in primes[:-1]): break
request("rsa-small-factor", r2048, RSA["sha256"], info_key=rsa_spki(weak), signature=bytes(256))

# Names.
upn = lambda text: ctx(0, oid("1.3.6.1.4.1.311.20.2.3") + ctx(0, utf8(text)))
p("san-kinds", attributes=[extreq(san(
    dns("LT-042.Devices.Example."), dns("b.example"), dns("b.example"), prim(1, b"Jane@Corp.Example"),
    prim(6, b"urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427"), prim(7, bytes([192, 0, 2, 7])),
    prim(7, bytes.fromhex("20010db8000000000000000000000001")), upn("Jane@Corp.Example")))])
p("san-directory-name", attributes=[extreq(san(ctx(4, seq(cn("x")))))])
p("san-empty", attributes=[extreq(extension("2.5.29.17", seq()))])
p("san-101", attributes=[extreq(san(*[dns(f"n{n}.example") for n in range(101)]))])
for name, text in (("wildcard", "*.example"), ("ip-in-dns", "192.0.2.7"), ("ip6-in-dns", "2001:db8::1"),
                   ("empty-label", "a..example"), ("underscore", "a_b.example"), ("nul-in-dns", "a\0.example"),
                   ("space-in-dns", "a b.example"), ("hyphen-edge", "-a.example")):
    p(name, attributes=[extreq(san(dns(text)))])
p("u-label", attributes=[extreq(san(dns("bücher.example")))])
p("a-label", attributes=[extreq(san(dns("xn--bcher-kva.example")))])
p("ip-five-octets", attributes=[extreq(san(prim(7, b"12345")))])
p("email-without-domain", attributes=[extreq(san(prim(1, b"jane")))])
p("two-common-names", subject=seq(cn("a"), cn("b")))
p("no-subject", subject=seq())
p("rich-subject", subject=seq(rdn("2.5.4.6", tlv(0x13, b"DE")), rdn("2.5.4.10", utf8("Corp")), cn("a")))
for name, value in (("teletex", tlv(0x14, b"a")), ("bmp", tlv(0x1e, b"\0a")), ("universal", tlv(0x1c, b"\0\0\0a")),
                    ("nul", tlv(0x0c, b"a\0b")), ("newline", tlv(0x0c, b"a\nb")), ("bidi", utf8("a\u202eb")),
                    ("overlong", utf8("a" * 65)), ("empty", utf8("")), ("not-utf8", tlv(0x0c, b"\xff\xfe"))):
    p(f"cn-{name}", subject=seq(rdn("2.5.4.3", value)))

# Attributes and extensions.
ku = extension("2.5.29.15", b"\x03\x02\x05\xa0", TRUE)
eku = extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.2"), oid("1.3.6.1.5.5.7.3.1")))
p("wishes", attributes=[extreq(ku, eku, san(dns("lt-042.devices.example")), extension("2.5.29.19", seq(), TRUE),
                               extension("1.3.6.1.4.1.311.20.2", tlv(0x1e, b"\0A")))])
p("ca-true", attributes=[extreq(extension("2.5.29.19", seq(TRUE), TRUE))])
p("critical-unknown", attributes=[extreq(extension("1.2.3.4", NULL, TRUE))])
p("critical-false", attributes=[extreq(seq(oid("2.5.29.15"), b"\x01\x01\x00", octets(b"\x03\x02\x05\xa0")))])
p("duplicate-extension", attributes=[extreq(ku, ku)])
p("duplicate-attribute", attributes=[HOST, HOST])
p("two-values", attributes=[attribute(EXTREQ, seq(ku), seq(eku))])
p("no-value", attributes=[attribute(EXTREQ)])
p("no-attributes", attributes=[])
p("no-attributes-field", attributes=[], field=False)
p("microsoft", attributes=[attribute(MSEXT, seq(san(dns("lt-042.devices.example"))))])
p("microsoft-and-standard", attributes=[HOST, attribute(MSEXT, seq(ku))])
p("unsorted", attributes=[attribute(CHALLENGE, utf8("S3CRET" * 10)), attribute("1.2.840.113549.1.9.2", utf8("x"))])
secret = "ABCDEFGHIJKLMNOP"
for name, value in (("printable", tlv(0x13, secret.encode())), ("utf8", utf8(secret)), ("ia5", tlv(0x16, secret.encode())),
                    ("t61", tlv(0x14, secret.encode())), ("bmp", tlv(0x1e, secret.encode("utf-16-be"))),
                    ("universal", tlv(0x1c, secret.encode("utf-32-be"))), ("padded", utf8(secret + " \r\n\0")),
                    ("long", utf8("A" * 8000)), ("octets", octets(secret.encode())), ("bmp-odd", tlv(0x1e, b"\0AB"))):
    p(f"challenge-{name}", attributes=[HOST, attribute(CHALLENGE, value)])
p("challenge-twice", attributes=[HOST, attribute(CHALLENGE, utf8(secret), utf8(secret + "Q"))])
p("too-large", attributes=[HOST, attribute(CHALLENGE, utf8("A" * 16384))])
p("trailing", tail=b"\0")
good = open(os.path.join(here, "p256.der"), "rb").read()
body = good[2 + (good[1] & 0x7f if good[1] & 0x80 else 0):]
save("indefinite", b"\x30\x80" + body + b"\0\0")
save("padded-length", bytes([0x30, 0x83, 0]) + len(body).to_bytes(2, "big") + body)
deep = NULL
for _ in range(200): deep = seq(deep)
save("deep", deep)
