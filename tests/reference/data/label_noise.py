"""Label noise computed with nothing but Python: BLAKE3 of one block, ChaCha8, then the definitions.

Prints the expected values of crates/gradstudy-data/src/label_noise/tests.rs (`draws_are_as_they_always_were`):
    python3 label_noise.py
"""

import struct

M32 = 0xFFFFFFFF
IV = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19]
PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
CORNERS = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]


def blake3(message):
    """BLAKE3 of at most 64 bytes: one block, one chunk (https://github.com/BLAKE3-team/BLAKE3-specs)."""
    assert len(message) <= 64
    words = list(struct.unpack("<16I", message.ljust(64, b"\0")))
    chunk_start, chunk_end, root = 1, 2, 8
    v = IV + IV[:4] + [0, 0, len(message), chunk_start | chunk_end | root]

    def rotate(x, n):
        return (x >> n | x << (32 - n)) & M32

    for _ in range(7):
        for i, (a, b, c, d) in enumerate(CORNERS):
            v[a] = (v[a] + v[b] + words[2 * i]) & M32
            v[d] = rotate(v[d] ^ v[a], 16)
            v[c] = (v[c] + v[d]) & M32
            v[b] = rotate(v[b] ^ v[c], 12)
            v[a] = (v[a] + v[b] + words[2 * i + 1]) & M32
            v[d] = rotate(v[d] ^ v[a], 8)
            v[c] = (v[c] + v[d]) & M32
            v[b] = rotate(v[b] ^ v[c], 7)
        words = [words[i] for i in PERMUTATION]
    return struct.pack("<8I", *(v[i] ^ v[i + 8] for i in range(8)))


def chacha8(key):
    """Random u64 of ChaCha with 8 rounds, a 64-bit counter from 0 and nonce 0."""
    counter = 0

    def rotate(x, n):
        return (x << n | x >> (32 - n)) & M32

    while True:
        start = list(struct.unpack("<4I", b"expand 32-byte k")) + list(struct.unpack("<8I", key))
        start += [counter & M32, counter >> 32, 0, 0]
        v = start[:]
        for _ in range(4):
            for a, b, c, d in CORNERS:
                for p, q, r, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    v[p] = (v[p] + v[q]) & M32
                    v[r] = rotate(v[r] ^ v[p], n)
        block = [(x + y) & M32 for x, y in zip(v, start)]
        for low, high in zip(block[::2], block[1::2]):
            yield low | high << 32
        counter += 1


def rng(seed, label):
    return chacha8(blake3(struct.pack("<Q", seed) + label.encode()))


def flip(labels, rate, draws, other):
    result = []
    for label in labels:
        uniform, draw = (next(draws) >> 11) / 2**53, next(draws)
        result.append(other(label, draw) if uniform < rate else label)
    return result


def symmetric(labels, classes, rate, seed):
    draws = rng(seed, "symmetric label noise")
    return flip(labels, rate, draws, lambda label, draw: (label + 1 + (draw * (classes - 1) >> 64)) % classes)


def asymmetric(labels, classes, rate, seed):
    return flip(labels, rate, rng(seed, "asymmetric label noise"), lambda label, _: (label + 1) % classes)


def shuffled(labels, seed):
    draws, labels = rng(seed, "shuffled labels"), labels[:]
    for last in range(len(labels) - 1, 0, -1):
        other = next(draws) * (last + 1) >> 64
        labels[last], labels[other] = labels[other], labels[last]
    return labels


if __name__ == "__main__":
    # Known answers: BLAKE3 of nothing; ChaCha8, key 0 (draft-strombergson-chacha-test-vectors-01, TC1).
    assert blake3(b"").hex() == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    assert struct.pack("<Q", next(chacha8(bytes(32)))).hex() == "3e00ef2f895f40d6"
    labels = [i % 10 for i in range(24)]
    print("symmetric ", symmetric(labels, 10, 0.4, 42))
    print("asymmetric", asymmetric(labels, 10, 0.4, 42))
    print("shuffled  ", shuffled(labels, 42))
