"""Mutants of arrays in every format, and of studies: an answer or an error, in bounded time, never a panic."""
import json
import random
import re
import struct
import subprocess
import sys

from common import HERE, fresh

EXTREME = ["0", "-1", "1e308", "1e309", "9223372036854775808", "18446744073709551616", "1e-320", "0%", "1000000%", "0..10000",
           "-5..5", "1.", "00", '""', "[]", "{}", "()", "true", "none"]
ODD = ["\0", "\ufeff", "\u202e", "é", "\r", "\t", "\x1b[31m", '"', "\\", "#", "{", "}", "(", ")", "[", "]", ",", ":", "=", ".."]
TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|[A-Za-z_][A-Za-z_0-9]*|[0-9][0-9_.eE+%-]*|\s+|.', re.S)
MAKE = """
import sys, zipfile, io, pickle
from pathlib import Path
import numpy as np
folder = Path(sys.argv[1]); rng = np.random.default_rng(0)
g = rng.normal(size=(40, 30)).astype("f4")
np.save(folder / "a.npy", g); np.savez(folder / "a.npz", g=g); np.savez_compressed(folder / "b.npz", g=g)
np.savetxt(folder / "a.csv", g, delimiter=","); np.savetxt(folder / "a.txt", g)
header = b'{"g":{"dtype":"F32","shape":[40,30],"data_offsets":[0,4800]}}'
(folder / "a.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + g.tobytes())
import pyarrow as pa, pyarrow.parquet as pq, pyarrow.feather as pf, pandas
table = pa.table({str(i): g[:, i] for i in range(30)})
pq.write_table(table, folder / "a.parquet"); pf.write_feather(table, folder / "a.arrow", compression="uncompressed")
pf.write_feather(table, folder / "b.arrow", compression="zstd")
pandas.DataFrame(g).to_csv(folder / "b.csv")
"""


def torch_file(path):
    """What `torch.save({"w": tensor})` writes, without PyTorch."""
    import zipfile
    name = b"w"
    pickled = (b"\x80\x02}(X" + struct.pack("<I", len(name)) + name + b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage"
               b"ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuM\xb0\x04tQK\x00(K(K\x1et(K\x1eK\x01t\x89"
               b"ccollections\nOrderedDict\n)RtRu.")
    numbers = struct.pack("<1200f", *[((i * i) % 997) / 99 for i in range(1200)])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/data/0", numbers)


def damaged(raw, random_):
    """Some bytes otherwise: mostly in the first and the last kilobyte, where formats keep what they say of themselves."""
    raw = bytearray(raw)
    for _ in range(1 + int(random_.expovariate(0.7))):
        if not raw:
            break
        near = random_.choice([min(len(raw), 1024), len(raw)])
        at = random_.randrange(near) if random_.random() < 0.6 else len(raw) - 1 - random_.randrange(near)
        way = random_.randrange(6)
        if way == 0:
            raw[at] ^= 1 << random_.randrange(8)
        elif way == 1:
            raw[at] = random_.choice([0, 1, 0x7F, 0x80, 0xFF])
        elif way == 2:
            raw[at:at + 8] = struct.pack("<Q", random_.choice([0, 1, 1 << 31, 1 << 32, (1 << 63) - 1, (1 << 64) - 1]))
        elif way == 3:
            del raw[at:at + random_.randrange(1, 64)]
        elif way == 4:
            raw[at:at] = raw[at:at + random_.randrange(1, 64)]
        else:
            del raw[at:]
    return bytes(raw)


def arrays(campaign, count, seed):
    """`count` mutants of each format."""
    random_ = random.Random(seed)
    folder = fresh(campaign.work / "arrays")
    subprocess.run([sys.executable, "-c", MAKE, str(folder)], check=True)
    torch_file(folder / "a.pt")
    found = dict(mutants=0, answered=0, refused=0, panics=0, ended=0, slow=0, of={})
    seeds = sorted(folder.iterdir())
    for path in seeds:
        raw, batch = path.read_bytes(), 25
        for first in range(0, count, batch):
            names = []
            for number in range(first, min(first + batch, count)):
                name = folder / f"mutant{number}{path.suffix}"
                name.write_bytes(damaged(raw, random_))
                names.append(name)
            for name in names:
                code, _, err, seconds = campaign.run(["test", name, "--threads", 1, "--test", "power_law(tail: top(10))"], folder / "cache", timeout=60)
                found["mutants"] += 1
                found["answered"] += code == 0
                found["refused"] += code in (1, 2)
                panics, ended = "panicked" in err, code not in (0, 1, 2)
                found["panics"] += panics
                found["ended"] += ended
                found["slow"] += seconds > 10
                if panics or ended or seconds > 10:
                    kept = campaign.work / f"found-{found['mutants']}{path.suffix}"
                    kept.write_bytes(name.read_bytes())
                    print("   ", kept, code, round(seconds, 1), err[-300:])
                name.unlink()
        found["of"][path.name] = count
    return found, ("panics", "ended", "slow")


def mutated(text, others, words, random_):
    """The text of a study with some tokens, lines or characters otherwise."""
    for _ in range(1 + int(random_.expovariate(0.6))):
        tokens, way = TOKEN.findall(text), random_.randrange(9)
        at = random_.randrange(len(text) + 1)
        if way < 3 and tokens:
            place = random_.randrange(len(tokens))
            numbers = [place for place, token in enumerate(tokens) if token[0].isdigit()]
            if way == 0:
                tokens[place] = random_.choice(words)
            elif way == 1:
                del tokens[place]
            elif numbers:
                tokens[random_.choice(numbers)] = random_.choice(EXTREME)
            text = "".join(tokens)
        elif way == 3:
            text = text[:at] + random_.choice(ODD) + text[at:]
        elif way == 4:
            text = text[:at] + text[at + random_.randrange(1, 60):]
        elif way == 5:
            other = random_.choice(others)
            begin = random_.randrange(len(other))
            text = text[:at] + other[begin:begin + random_.randrange(400)] + text[at:]
        elif way == 6:
            text = text[:at] + random_.choice("([{") * random_.randrange(1, 100) + text[at:]
        elif way == 7:
            lines = text.splitlines(True)
            if lines:
                lines.insert(random_.randrange(len(lines)), random_.choice(lines))
            text = "".join(lines)
        else:
            text = text[:at]
    return text[:200_000]


def studies(campaign, count, seed):
    """`count` mutants of the project's studies through `check` and `fmt`; what is formatted twice does not change again."""
    random_ = random.Random(seed)
    sources = sorted((HERE.parents[1] / "studies").glob("*.study"))
    texts = [path.read_text() for path in sources]
    words = sorted({token for text in texts for token in TOKEN.findall(text) if token[0].isalpha()})
    found = dict(mutants=0, panics=0, ended=0, no_json=0, slow=0, formatted=0, not_idempotent=0)
    batch = 250
    while found["mutants"] < count:
        folder = fresh(campaign.work / "studies")
        for path in sources:
            (folder / path.name).write_text(path.read_text())
        names = [f"mutant{number}.study" for number in range(batch)]
        for name in names:
            text = mutated(random_.choice(texts), texts, words, random_)
            (folder / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        for command in (["check", "--json"], ["fmt"], ["fmt"]):
            code, out, err, seconds = campaign.run([*command, *names], campaign.work / "cache", timeout=120, cwd=folder)
            found["panics"] += "panicked" in err
            found["ended"] += code not in (0, 1, 2)
            found["slow"] += seconds > 60
            if "panicked" in err or code not in (0, 1, 2):
                kept = campaign.work / f"found-studies-{found['mutants']}"
                if not kept.exists():
                    import shutil
                    shutil.copytree(folder, kept)
                print("   ", kept, command, code, err[-300:])
            if command[0] == "check":
                try:
                    json.loads(out)
                except ValueError:
                    found["no_json"] += 1
                formatted = None
            elif formatted is None:
                formatted = re.findall(r"(mutant\d+\.study) formatted", out)
                found["formatted"] += len(formatted)
            else:
                found["not_idempotent"] += len(re.findall(r"(mutant\d+\.study) formatted", out))
        found["mutants"] += batch
    return found, ("panics", "ended", "no_json", "slow", "not_idempotent")
