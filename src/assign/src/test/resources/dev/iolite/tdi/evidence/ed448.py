"""Signs the file NAME.covered as an SPDM 1.2 device with Ed448 and SHA3-512 does, by the formulas of
RFC 8032: OpenSSL 3.0 has no context for Ed448. Writes NAME.bin and NAME.pem."""

import base64
import hashlib
import sys

P = 2**448 - 2**224 - 1
D = -39081 % P
L = 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885
BASE = (
    224580040295924300187604334099896036246789641632564134246125461686950415467406032909029192869357953282578032075146446173674602635247710,
    298819210078481492676017930443930673437544040154080242095928241372331506189835876003536878655418784733982303233503462500531545062832660,
)
PURPOSE = b"responder-measurements signing"


def shake(data):
    return hashlib.shake_256(data).digest(114)


def add(one, other):
    x1, y1 = one
    x2, y2 = other
    t = D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + t, P - 2, P) % P,
        (y1 * y2 - x1 * x2) * pow(1 - t, P - 2, P) % P,
    )


def times(count, point):
    result = (0, 1)
    while count:
        if count & 1:
            result = add(result, point)
        point = add(point, point)
        count >>= 1
    return result


def encoded(point):
    data = bytearray(point[1].to_bytes(57, "little"))
    data[56] |= (point[0] & 1) << 7
    return bytes(data)


def scalar(digest):
    data = bytearray(digest[:57])
    data[0] &= 0xFC
    data[55] |= 0x80
    data[56] = 0
    return int.from_bytes(data, "little")


def public(key):
    return encoded(times(scalar(shake(key)), BASE))


def sign(key, text, context):
    digest = shake(key)
    domain = b"SigEd448" + bytes([0, len(context)]) + context
    r = int.from_bytes(shake(domain + digest[57:] + text), "little") % L
    start = encoded(times(r, BASE))
    k = int.from_bytes(shake(domain + start + public(key) + text), "little") % L
    return start + ((r + k * scalar(digest)) % L).to_bytes(57, "little")


# RFC 8032, section 7.4, "1 octet (with context)".
KNOWN = bytes.fromhex(
    "c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463a"
    "fbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e"
)
assert sign(KNOWN, b"\x03", b"foo").hex() == (
    "d4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2"
    "151f7647f11d8ca2ae279fb842d607217fce6e042f6815ea000c85741de5c8da"
    "1144a6a1aba7f96de42505d7a7298524fda538fccbbb754f578c1cad10d54d0d"
    "5428407e85dcbc98a49155c13764e66c3c00"
)

name = sys.argv[1]
with open(name + ".covered", "rb") as file:
    covered = file.read()
secret = hashlib.shake_256(b"a key for tests").digest(57)
signed = b"dmtf-spdm-v1.2.*" * 4 + bytes(6) + PURPOSE + hashlib.sha3_512(covered).digest()
with open(name + ".bin", "wb") as file:
    file.write(covered + sign(secret, signed, PURPOSE))
pem = base64.b64encode(bytes.fromhex("3043300506032b6571033a00") + public(secret)).decode()
with open(name + ".pem", "w") as file:
    lines = "\n".join(pem[at : at + 64] for at in range(0, len(pem), 64))
    file.write("-----BEGIN PUBLIC KEY-----\n" + lines + "\n-----END PUBLIC KEY-----\n")
