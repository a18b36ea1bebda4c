"""A flipped bit, a cut, or a byte more in a file of the cache or of a run: no other number comes out in silence."""
import json
import os
import random
import shutil

from common import STUDIES, fresh, results, runs


def inflict(path, random_):
    """Damages the file, and says how."""
    raw = bytearray(path.read_bytes())
    how = random_.choice(["flip", "flip", "cut", "longer"])
    if how == "flip" and raw:
        bit = random_.randrange(len(raw) * 8)
        raw[bit // 8] ^= 1 << bit % 8
    elif how == "cut" and raw:
        del raw[random_.randrange(len(raw)):]
    else:
        raw += bytes(1)
    # Another file: the undamaged one is shared by hard links.
    path.unlink()
    path.write_bytes(raw)
    return how


def copy(source, target):
    """A copy by hard links."""
    shutil.copytree(source, target, copy_function=os.link)


def users(steps, chosen):
    """Steps that are made from the step `chosen`, by folder."""
    keys = {key.parent: json.loads(key.read_text()) for key in steps.glob("*/key.json")}
    gone, before = {chosen.name.split("-")[0]}, 0
    while len(gone) > before:
        before = len(gone)
        gone |= {folder.name.split("-")[0] for folder, key in keys.items() if gone & set(key["inputs"])}
    return [folder for folder in keys if folder != chosen and folder.name.split("-")[0] in gone]


def of_cache(campaign, study, random_, found):
    """A file of a finished step, after what is made from the step is forgotten, so that it is read."""
    expected, _, reference = campaign.reference(study)
    folder = fresh(campaign.work / "flips")
    copy(reference / "cache", folder / "cache")
    path = random_.choice([path for path in (folder / "cache/steps").rglob("*") if path.is_file()])
    for user in users(folder / "cache/steps", path.parent):
        shutil.rmtree(user)
    how = inflict(path, random_)
    code, _, err, _ = campaign.run(campaign.command(study, folder / "reports"), folder / "cache")
    found["failed"] += code != 0
    found["panics"] += "panicked" in err
    found["wrong"] += code == 0 and results(folder / "reports") != expected
    found["said"] += "not as it was written" in err
    found["of"].setdefault(path.name, 0)
    found["of"][path.name] += 1
    return how


def of_run(campaign, study, random_, found):
    """A file that a run's documents are made of."""
    _, _, reference = campaign.reference(study)
    folder = fresh(campaign.work / "flips")
    copy(reference / "reports", folder / "reports")
    run = runs(folder / "reports")[0]
    names = ["results.yaml", "spectra.json", "samples.safetensors", "verdicts.safetensors", "manifest.yaml", "study.study",
             "resolved.yaml", "layout.yaml"]
    path = random_.choice([run / name for name in names if (run / name).is_file()])
    inflict(path, random_)
    code, _, err, _ = campaign.run(["report", run, "--to", folder / "again"], folder / "cache")
    whole = campaign.work / "whole" / study
    if not whole.exists():
        campaign.run(["report", runs(reference / "reports")[0], "--to", whole], reference / "cache")
    found["panics"] += "panicked" in err
    found["said"] += code != 0
    if code == 0:
        made = sorted(path.name for path in (folder / "again").iterdir())
        found["wrong"] += any((whole / name).read_bytes() != (folder / "again" / name).read_bytes() for name in made)
    found["of"].setdefault(path.name, 0)
    found["of"][path.name] += 1


def of_leftover(campaign, study, random_, found):
    """A file that a killed run left to be gone on with."""
    expected, seconds, _ = campaign.reference(study)
    folder = fresh(campaign.work / "flips")
    process = campaign.start(campaign.command(study, folder / "reports"), folder / "cache")
    try:
        process.wait(seconds * (0.3 + 0.6 * random_.random()))
    except Exception:
        process.kill()
    process.communicate()
    left = [path for path in (folder / "cache/steps").glob("*.partial/*") if path.is_file()]
    if not left:
        return
    path = random_.choice(left)
    inflict(path, random_)
    code, _, err, _ = campaign.run(campaign.command(study, folder / "reports"), folder / "cache")
    found["failed"] += code != 0
    found["panics"] += "panicked" in err
    found["wrong"] += code == 0 and results(folder / "reports") != expected
    found["said"] += "as they were written" in err or "as it was written" in err
    found["of"].setdefault("left: " + path.name, 0)
    found["of"]["left: " + path.name] += 1


def flips(campaign, count, seed):
    random_ = random.Random(seed)
    found = dict(flips=0, said=0, wrong=0, failed=0, panics=0, of={})
    while found["flips"] < count:
        study = random_.choice(list(STUDIES))
        way = random_.choice([of_cache, of_cache, of_run, of_leftover])
        way(campaign, study, random_, found)
        found["flips"] = sum(found["of"].values())
    return found, ("wrong", "failed", "panics")
