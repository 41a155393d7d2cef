"""Noise_IK_25519_ChaChaPoly_SHA256, the initiator's half, written from the
Noise specification (revision 34) and not from crypto/: a second
implementation that the first has to agree with.  Slow and plain."""

import base64
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey, X25519PublicKey)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import (Encoding,
                                                          PublicFormat)

NAME = b"Noise_IK_25519_ChaChaPoly_SHA256"       # 32 octets: h is the name


def public(secret):
    return secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def dh(secret, remote):
    return secret.exchange(X25519PublicKey.from_public_bytes(remote))


def hkdf(chaining_key, material):
    temp = hmac.new(chaining_key, material, hashlib.sha256).digest()
    one = hmac.new(temp, b"\x01", hashlib.sha256).digest()
    two = hmac.new(temp, one + b"\x02", hashlib.sha256).digest()
    return one, two


class Cipher:
    def __init__(self, key):
        self.aead = ChaCha20Poly1305(key)
        self.n = 0

    @staticmethod
    def nonce(n):
        return b"\0\0\0\0" + struct.pack("<Q", n)

    def encrypt(self, plain, data=b""):
        out = self.aead.encrypt(self.nonce(self.n), plain, data)
        self.n += 1
        return out

    def decrypt(self, n, sealed, data=b""):
        return self.aead.decrypt(self.nonce(n), sealed, data)


class Initiator:
    """message_1(payload) -> bytes; message_2(bytes) -> payload; then
    send and receive are Ciphers."""

    def __init__(self, secret, remote, prologue):
        self.static = secret
        self.remote = remote
        self.h = NAME
        self.ck = NAME
        self.mix_hash(prologue)
        self.mix_hash(remote)

    def mix_hash(self, data):
        self.h = hashlib.sha256(self.h + data).digest()

    def mix_key(self, material):
        self.ck, key = hkdf(self.ck, material)
        self.cipher = Cipher(key)

    def encrypt_and_hash(self, plain):
        sealed = self.cipher.encrypt(plain, self.h)
        self.mix_hash(sealed)
        return sealed

    def decrypt_and_hash(self, sealed):
        plain = self.cipher.decrypt(self.cipher.n, sealed, self.h)
        self.cipher.n += 1
        self.mix_hash(sealed)
        return plain

    def message_1(self, payload):           # -> e, es, s, ss
        self.ephemeral = X25519PrivateKey.generate()
        e = public(self.ephemeral)
        self.mix_hash(e)
        self.mix_key(dh(self.ephemeral, self.remote))
        s = self.encrypt_and_hash(public(self.static))
        self.mix_key(dh(self.static, self.remote))
        return e + s + self.encrypt_and_hash(payload)

    def message_2(self, message):           # <- e, ee, se
        e, rest = message[:32], message[32:]
        self.mix_hash(e)
        self.mix_key(dh(self.ephemeral, e))
        self.mix_key(dh(self.static, e))
        payload = self.decrypt_and_hash(rest)
        one, two = hkdf(self.ck, b"")
        self.send, self.receive = Cipher(one), Cipher(two)
        return payload


def prologue(agent, centre):
    return b"platen/1\0" + agent.encode() + b"\0" + centre.encode()


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)
