"""What is inside the seal, made small, as platen-protocol(7) says: a zlib stream
with a preset dictionary, or plain XML, and zeros behind it."""

import pathlib
import zlib

DICTIONARY = (pathlib.Path(__file__).resolve().parents[2] / "schema" /
              "squash.dict").read_bytes()


def pack(xml):
    """The plaintext of this XML (bytes)."""
    stream = zlib.compressobj(9, zdict=DICTIONARY)
    data = stream.compress(xml) + stream.flush()
    return data + bytes(-len(data) % 64)


def unpack(plain):
    """The XML in this plaintext; ValueError when there is none."""
    if len(plain) % 64 != 0:
        raise ValueError(f"{len(plain)} octets tell the length")
    if plain.startswith(b"<"):
        return plain.rstrip(b"\0")
    stream = zlib.decompressobj(zdict=DICTIONARY)
    try:
        xml = stream.decompress(plain)
    except zlib.error as why:
        raise ValueError(str(why)) from why
    if not stream.eof or stream.unused_data.strip(b"\0") or \
            len(stream.unused_data) >= 64:
        raise ValueError("no clean stream")
    return xml
