"""Facts of real data and small files of every format, made with NumPy and safetensors only.

    python make_golden.py DATA      # DATA holds cifar-10/ (binary) and avila/

writes golden.json (means, deviations and single inputs that tests/data/real.rs compares) and the small files of
own/, which tests/data/own.rs and tests/data/cifar.rs read. Means and deviations are those of float64 arrays
(numpy.mean, numpy.std with ddof = 0), inputs are rounded to float32 at the end.
"""

import io
import json
import pickle
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

HERE = Path(__file__).parent
DATA = Path(sys.argv[1])


def cifar(names):
    raw = np.concatenate([np.fromfile(DATA / "cifar-10" / name, np.uint8) for name in names]).reshape(-1, 3073)
    return raw[:, 1:].reshape(-1, 3, 32, 32), raw[:, 0]


def facts_of_cifar():
    x, y = cifar([f"data_batch_{i}.bin" for i in range(1, 6)])
    tx, ty = cifar(["test_batch.bin"])
    p = x / 255.0
    places = [(0, 0, 0, 0), (0, 2, 31, 31), (7, 1, 16, 9), (49_999, 2, 5, 30)]
    test_places = [(0, 0, 0, 0), (9_999, 1, 10, 20)]
    mean, sd = p.mean(), p.std()
    channel_mean, channel_sd = p.mean(axis=(0, 2, 3)), p.std(axis=(0, 2, 3))
    pixel_mean, pixel_sd = p.mean(axis=0), p.std(axis=0)
    subset = p[:1000]
    three_five = np.flatnonzero((y == 5) | (y == 3))[:100]
    chosen = p[three_five]

    def values(places, of, images):
        return [float(of(images[n, c, h, w] / 255.0, c, h, w)) for n, c, h, w in places]

    return {
        "labels": y[:10].tolist(),
        "test_labels": ty[:10].tolist(),
        "mean": mean,
        "sd": sd,
        "channel_mean": channel_mean.tolist(),
        "channel_sd": channel_sd.tolist(),
        "places": places,
        "none": values(places, lambda v, c, h, w: v, x),
        "global": values(places, lambda v, c, h, w: (v - mean) / sd, x),
        "per_channel": values(places, lambda v, c, h, w: (v - channel_mean[c]) / channel_sd[c], x),
        "per_pixel": values(places, lambda v, c, h, w: (v - pixel_mean[c, h, w]) / pixel_sd[c, h, w], x),
        "test_places": test_places,
        "test_per_channel": values(test_places, lambda v, c, h, w: (v - channel_mean[c]) / channel_sd[c], tx),
        "subset_mean": subset.mean(),
        "subset_channel_sd": subset.std(axis=(0, 2, 3)).tolist(),
        # classes: [5, 3], subset: 100
        "chosen_mean": chosen.mean(),
        "chosen_labels": [{5: 0, 3: 1}[int(label)] for label in y[three_five]],
        "chosen_last": float(((chosen - chosen.mean()) / chosen.std())[99, 1, 4, 4]),
    }


def facts_of_avila():
    def table(name):
        rows = [line.split(",") for line in (DATA / "avila" / name).read_text().split()]
        x = np.array([[float(v) for v in row[:10]] for row in rows])
        return x, ["ABCDEFGHIWXY".index(row[10]) for row in rows]

    x, y = table("avila-tr.txt")
    tx, ty = table("avila-ts.txt")
    mean, sd = x.mean(axis=0), x.std(axis=0)
    return {
        "mean": x.mean(),
        "sd": x.std(),
        "labels": y[:40],
        "last_labels": y[-10:],
        "test_labels": ty[:40],
        "raw_first": x[0].tolist(),
        "first": ((x[0] - mean) / sd).tolist(),
        "last": ((x[-1] - mean) / sd).tolist(),
        "test_first": ((tx[0] - mean) / sd).tolist(),
        "feature_mean": mean.tolist(),
        "feature_sd": sd.tolist(),
    }


class Python2Pickler(pickle._Pickler):
    """Writes what Python 2 wrote at protocol 2: every text and bytes as a byte string (BINSTRING)."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, obj):
        raw = obj if isinstance(obj, bytes) else obj.encode("latin-1")
        self.write(b"U" + bytes([len(raw)]) + raw if len(raw) < 256 else b"T" + struct.pack("<i", len(raw)) + raw)
        self.memoize(obj)

    dispatch[bytes] = save_string
    dispatch[str] = save_string


def cifar_pickles(own):
    """Two batches of two images each, in the form of CIFAR-100's python version, and as binary records."""
    rng = np.random.default_rng(100)
    records = b""
    for name in ("one", "two"):
        data = rng.integers(0, 256, (2, 3072), dtype=np.uint8)
        # Small files: most of an image is one value.
        data[:, 40:] = data[:, 40:41]
        coarse, fine = [1, 0], [0, 1]
        batch = {"filenames": ["a.png", "b.png"], "batch_label": name, "fine_labels": fine, "data": data,
                 "coarse_labels": coarse}
        target = io.BytesIO()
        if name == "one":
            Python2Pickler(target, 2).dump(batch)
        else:
            pickle.Pickler(target, 4).dump(batch)
        (own / f"cifar_{name}.pickle").write_bytes(target.getvalue())
        for c, f, pixels in zip(coarse, fine, data):
            records += bytes([c, f]) + pixels.tobytes()
    # Packed, for the reason above.
    (own / "cifar_records.bin.z").write_bytes(zlib.compress(records, 9))


def png(path, pixels):
    """A PNG of H×W (grey) or H×W×C (2: grey and alpha, 3: RGB, 4: RGBA) bytes, by hand."""
    pixels = np.asarray(pixels, np.uint8)
    kind = {2: 0}.get(pixels.ndim) if pixels.ndim == 2 else {2: 4, 3: 2, 4: 6}[pixels.shape[2]]
    height, width = pixels.shape[:2]

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def own_files(own):
    rng = np.random.default_rng(7)
    x = rng.integers(0, 256, (6, 3, 2, 4), dtype=np.uint8)
    y = np.array([0, 2, 1, 1, 0, 2])
    tx, ty = rng.integers(0, 256, (2, 3, 2, 4), dtype=np.uint8), np.array([2, 0])
    features = rng.normal(size=(6, 5)).round(3)
    features[:, 2] = 0.1
    np.save(own / "x.npy", x)
    np.save(own / "x_last.npy", np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
    np.save(own / "x_fortran.npy", np.asfortranarray(x))
    np.save(own / "x_big_endian.npy", x.astype(">f4"))
    np.save(own / "y.npy", y)
    np.save(own / "features.npy", features)
    np.savez_compressed(own / "arrays.npz", x=x, y=y.astype(np.uint8), tx=tx, ty=ty)
    save_file({"x": x, "y": y, "tx": tx, "ty": ty, "f": features.astype(np.float32)}, own / "arrays.safetensors")
    mean, sd = features.mean(axis=0), features.std(axis=0)
    scaled = (features - mean) / np.where(sd == 0, 1, sd)
    scaled[:, 2] = 0
    for n, image in enumerate(x):
        png(own / "folder" / "abc"[y[n]] / f"{n}.png", image.transpose(1, 2, 0))
    png(own / "odd" / "grey.png", x[0, 0])
    png(own / "odd" / "alpha.png", np.concatenate([x[0], x[0, :1]]).transpose(1, 2, 0))
    return {
        "x": x.ravel().tolist(),
        "y": y.tolist(),
        "tx": tx.ravel().tolist(),
        "ty": ty.tolist(),
        "features": features.ravel().tolist(),
        "per_feature": scaled.ravel().tolist(),
        "channel_mean": (x / 255.0).mean(axis=(0, 2, 3)).tolist(),
        "channel_sd": (x / 255.0).std(axis=(0, 2, 3)).tolist(),
    }


if __name__ == "__main__":
    own = HERE / "own"
    own.mkdir(exist_ok=True)
    cifar_pickles(own)
    golden = {
        "versions": {"numpy": np.__version__},
        "cifar10": facts_of_cifar(),
        "avila": facts_of_avila(),
        "own": own_files(own),
    }
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
