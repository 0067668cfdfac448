"""Hashes of texts that are the same everywhere: those of TensorFlow, so that saved models mean the same.

FarmHash's 64-bit fingerprint (G. Pike, 2014: https://github.com/google/farmhash) and SipHash-2-4 with a key (Aumasson
and Bernstein: SipHash, 2012). Both work on uint64, modulo 2^64; texts of one length are hashed together.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

K0, K1, K2 = (np.uint64(k) for k in (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
U = np.uint64
Words = np.ndarray  # uint64, one for each text


def fingerprints(texts: Sequence[bytes]) -> Words:
    """FarmHash's Fingerprint64 of each text.

    >>> [hex(int(h)) for h in fingerprints([b"", b"hello"])]
    ['0x9ae16a3b2f90404f', '0xb48be5a931380ce8']
    """
    return _by_length(texts, _farmhash)


def keyed_hashes(texts: Sequence[bytes], key: Sequence[int]) -> Words:
    """SipHash-2-4 of each text under a key of two whole numbers.

    >>> hex(int(keyed_hashes([bytes(range(15))], [0x0706050403020100, 0x0F0E0D0C0B0A0908])[0]))
    '0xa129ca6149be45e5'
    """
    k0, k1 = (int(k) % 2**64 for k in key)
    return _by_length(texts, lambda data: _siphash(data, k0, k1))


def crossed(parts: Sequence[Words]) -> Words:
    """One fingerprint for several in this order: what TensorFlow mixes for crossed columns, from its own beginning.

    >>> (crossed([fingerprints([b"A", b"B"]), np.array([101, 101], "uint64")]) % U(5)).tolist()
    [1, 4]
    """
    mul = U(0xC6A4A7935BD1E995)
    found = np.full(len(parts[0]), U(0xDECAFCAFFE))
    for part in parts:
        found = (found ^ mul ^ _mixed(part * mul) * mul) * mul
        found = _mixed(_mixed(found) * mul)
    return found


def key_of(what: str, salt: Any) -> list[int] | None:
    """The two numbers of a hash's key."""
    if salt is None:
        return None
    pair = [salt, salt] if isinstance(salt, int) else salt
    if not (isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(k, int) for k in pair)):
        raise ValueError(f"{what}: salt: got {salt!r}, expected a whole number or two of them")
    return list(pair)


def buckets(texts: Sequence[bytes], count: int, salt: Sequence[int] | None) -> np.ndarray:
    """The hash of each text modulo `count`, as TensorFlow's to_hash_bucket_fast, or to_hash_bucket_strong with a salt.

    >>> buckets([b"omar", b"stringer", b"marlo"], 2, None)
    array([0, 0, 1])
    """
    different = list(dict.fromkeys(texts))
    hashes = fingerprints(different) if salt is None else keyed_hashes(different, salt)
    found = dict(zip(different, (hashes % np.uint64(count)).tolist(), strict=True))
    return np.array([found[text] for text in texts], np.int64)


def _by_length(texts: Sequence[bytes], hashes: Callable[[np.ndarray], Words]) -> Words:
    """The hash of each text; `hashes` takes those of one length as an array (texts, bytes)."""
    lengths = np.fromiter(map(len, texts), np.intp, len(texts))
    found = np.empty(len(texts), U)
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        data = np.frombuffer(b"".join([texts[i] for i in places.tolist()]), np.uint8).reshape(len(places), length)
        found[places] = hashes(data)
    return found


def _word(data: np.ndarray, start: int, size: int = 8) -> Words:
    """The bytes from `start` on as numbers whose lowest byte comes first."""
    bytes_ = np.zeros((len(data), 8), np.uint8)
    bytes_[:, :size] = data[:, start : start + size]
    return bytes_.view("<u8")[:, 0]


def _rotated(x: Words, right: int) -> Words:
    return x >> U(right) | x << U(64 - right)


def _mixed(x: Words) -> Words:
    return x ^ x >> U(47)


# FarmHash -------------------------------------------------------------------------------------------------------------


def _farmhash(data: np.ndarray) -> Words:
    length = data.shape[1]
    if length <= 16:
        return _up_to_16(data, length)
    if length <= 32:
        return _up_to_32(data, length)
    return _up_to_64(data, length) if length <= 64 else _longer(data, length)


def _of_two(u: Words, v: Words, mul: Any) -> Words:
    a = _mixed((u ^ v) * mul)
    return _mixed((v ^ a) * mul) * mul


def _up_to_16(data: np.ndarray, length: int) -> Words:
    mul = U((int(K2) + 2 * length) % 2**64)
    if length >= 8:
        a, b = _word(data, 0) + K2, _word(data, length - 8)
        return _of_two(_rotated(b, 37) * mul + a, (_rotated(a, 25) + b) * mul, mul)
    if length >= 4:
        return _of_two((_word(data, 0, 4) << U(3)) + U(length), _word(data, length - 4, 4), mul)
    if length > 0:
        first, middle, last = (data[:, i].astype(U) for i in (0, length // 2, length - 1))
        y, z = first + (middle << U(8)), U(length) + (last << U(2))
        return _mixed(y * K2 ^ z * K0) * K2
    return np.full(len(data), K2)


def _up_to_32(data: np.ndarray, length: int) -> Words:
    mul = U((int(K2) + 2 * length) % 2**64)
    a, b = _word(data, 0) * K1, _word(data, 8)
    c, d = _word(data, length - 8) * mul, _word(data, length - 16) * K2
    return _of_two(_rotated(a + b, 43) + _rotated(c, 30) + d, a + _rotated(b + K2, 18) + c, mul)


def _up_to_64(data: np.ndarray, length: int) -> Words:
    mul = U((int(K2) + 2 * length) % 2**64)
    a, b = _word(data, 0) * K2, _word(data, 8)
    c, d = _word(data, length - 8) * mul, _word(data, length - 16) * K2
    y = _rotated(a + b, 43) + _rotated(c, 30) + d
    z = _of_two(y, a + _rotated(b + K2, 18) + c, mul)
    e, f = _word(data, 16) * mul, _word(data, 24)
    g, h = (y + _word(data, length - 32)) * mul, (z + _word(data, length - 24)) * mul
    return _of_two(_rotated(e + f, 43) + _rotated(g, 30) + h, e + _rotated(f + a, 18) + g, mul)


def _longer(data: np.ndarray, length: int) -> Words:
    """A state of 56 bytes goes over blocks of 64, the last of which may overlap the one before."""
    n = len(data)
    seed = 81
    x, y = np.full(n, U(seed)), np.full(n, U((seed * int(K1) + 113) % 2**64))
    z = _mixed(y * K2 + U(113)) * K2
    v, w = (np.zeros(n, U), np.zeros(n, U)), (np.zeros(n, U), np.zeros(n, U))
    x = x * K2 + _word(data, 0)
    last = (length - 1) // 64 * 64
    for start in range(0, last, 64):
        x = _rotated(x + y + v[0] + _word(data, start + 8), 37) * K1
        y = _rotated(y + v[1] + _word(data, start + 48), 42) * K1
        x, y = x ^ w[1], y + v[0] + _word(data, start + 40)
        z = _rotated(z + w[0], 33) * K1
        v = _of_32(data, start, v[1] * K1, x + w[0])
        w = _of_32(data, start + 32, z + w[1], y + _word(data, start + 16))
        z, x = x, z
    mul = K1 + ((z & U(0xFF)) << U(1))
    start = length - 64
    w = (w[0] + U((length - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x = _rotated(x + y + v[0] + _word(data, start + 8), 37) * mul
    y = _rotated(y + v[1] + _word(data, start + 48), 42) * mul
    x, y = x ^ w[1] * U(9), y + v[0] * U(9) + _word(data, start + 40)
    z = _rotated(z + w[0], 33) * mul
    v = _of_32(data, start, v[1] * mul, x + w[0])
    w = _of_32(data, start + 32, z + w[1], y + _word(data, start + 16))
    z, x = x, z
    return _of_two(_of_two(v[0], w[0], mul) + _mixed(y) * K0 + z, _of_two(v[1], w[1], mul) + x, mul)


def _of_32(data: np.ndarray, start: int, a: Words, b: Words) -> tuple[Words, Words]:
    """A weak hash of 32 bytes with two seeds."""
    w, x, y, z = (_word(data, start + 8 * i) for i in range(4))
    a = a + w
    b = _rotated(b + a + z, 21)
    c = a
    a = a + x + y
    return a + z, b + _rotated(a, 44) + c


# SipHash --------------------------------------------------------------------------------------------------------------


def _siphash(data: np.ndarray, k0: int, k1: int) -> Words:
    n, length = data.shape
    begin = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [np.full(n, U(c ^ k)) for c, k in zip(begin, (k0, k1, k0, k1), strict=True)]
    rest = length % 8
    words = [_word(data, start) for start in range(0, length - rest, 8)]
    for word in [*words, _word(data, length - rest, rest) | U(length % 256 << 56)]:
        v[3] = v[3] ^ word
        v = _rounds(v, 2)
        v[0] = v[0] ^ word
    v[2] = v[2] ^ U(0xFF)
    v = _rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _rounds(v: list[Words], count: int) -> list[Words]:
    a, b, c, d = v
    for _ in range(count):
        a, c = a + b, c + d
        b, d = _rotated(b, 64 - 13) ^ a, _rotated(d, 64 - 16) ^ c
        a = _rotated(a, 32)
        a, c = a + d, c + b
        b, d = _rotated(b, 64 - 17) ^ c, _rotated(d, 64 - 21) ^ a
        c = _rotated(c, 32)
    return [a, b, c, d]
