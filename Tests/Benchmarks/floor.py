"""The crypto floor: the public-key operations one enrolment cannot do without, as `openssl speed` times them."""
import subprocess

# Operations of the server for one enrolment. TLS 1.3 with an ECDSA certificate: one signature, one key share made and
# one agreed. Every enrolment: the request's self-signature verified, the certificate signed with P-256.
TLS = {"p256 sign": 1, "x25519": 2}
COMPOSITION = {
    "EST, new connection": {**TLS, "p256 sign": 2, "p256 verify": 1},
    "EST, keep-alive": {"p256 sign": 1, "p256 verify": 1},
    # Six signed requests.
    "ACME, whole flow": {**TLS, "p256 sign": 2, "p256 verify": 7},
    # Message verified, envelope opened, request verified; reply sealed and signed.
    "SCEP, PKIOperation": {"rsa2048 private": 2, "rsa2048 public": 3, "p256 sign": 1},
}


def operation_times():
    """Operation → seconds of CPU, on one core."""
    output = subprocess.run(
        ["openssl", "speed", "-seconds", "1", "-mr", "ecdsap256", "rsa2048", "ecdhx25519"],
        capture_output=True, text=True, check=True).stdout
    times = {}
    for line in output.splitlines():
        fields = line.split(":")
        if fields[0] == "+F2":
            times["rsa2048 private"], times["rsa2048 public"] = 1 / float(fields[3]), 1 / float(fields[4])
        elif fields[0] == "+F4":
            times["p256 sign"], times["p256 verify"] = 1 / float(fields[3]), 1 / float(fields[4])
        elif fields[0] == "+F5":
            times["x25519"] = 1 / float(fields[3])
    return times


def floor(scenario, times):
    """Seconds of CPU."""
    return sum(count * times[operation] for operation, count in COMPOSITION[scenario].items())


def described(scenario):
    return ", ".join(f"{count} {operation}" for operation, count in COMPOSITION[scenario].items())
