"""Two and eight processes at once on one study and one cache, with `gc`, `list` and `rm` beside them."""
import random
import shutil
import time

from common import fresh, results, runs

BESIDE = [["gc", "--yes"], ["gc", "--yes", "--stopped"], ["gc", "--yes", "--all"], ["list", "--json"]]


def processes(campaign, count, seed):
    random_ = random.Random(seed)
    found = dict(runs=0, failed=0, wrong=0, made_twice=0, panics=0, beside=0, beside_failed=0)
    while found["runs"] < count:
        study = random_.choice(["training", "kept", "spectra", "curvature", "sweep"])
        expected, seconds, _ = campaign.reference(study)
        folder = fresh(campaign.work / "processes")
        cache, reports = folder / "cache", folder / "reports"
        number = random_.choice([2, 2, 8])
        # Freed on purpose, a step is made again: only what nobody frees is counted.
        beside = random_.choice([None, *BESIDE])
        command = campaign.command(study, reports) + ["--json"]
        started = []
        for _ in range(number):
            started.append(campaign.start(command, cache))
            time.sleep(random_.random() * seconds / number)
        while beside and any(process.poll() is None for process in started):
            code, _, err, _ = campaign.run([*beside, "--reports-dir", reports], cache)
            found["beside"] += 1
            found["beside_failed"] += code != 0
            if code != 0:
                print("   ", study, beside, code, err[-400:], flush=True)
            found["panics"] += "panicked" in err
            if random_.random() < 0.1 and len(runs(reports)) > 1:
                campaign.run(["rm", runs(reports)[0], "--reports-dir", reports], cache)
            time.sleep(0.02 * random_.random())
        for process in started:
            _, err = process.communicate()
            found["runs"] += 1
            found["failed"] += process.returncode != 0
            found["panics"] += b"panicked" in err
            if process.returncode != 0:
                print("   ", study, number, beside, process.returncode, err.decode(errors="replace")[-400:])
        made = {}
        for run in range(len(runs(reports))):
            found["wrong"] += results(reports, run) != expected
            manifest = (runs(reports)[run] / "manifest.yaml").read_text()
            for step in made_in(manifest):
                made[step] = made.get(step, 0) + 1
        if not beside or beside[0] == "list":
            twice = {step: times - 1 for step, times in made.items() if times > 1}
            found["made_twice"] += sum(twice.values())
            for step in twice:
                print("   ", study, number, "made twice:", step, flush=True)
        shutil.rmtree(folder)
    return found, ("failed", "wrong", "made_twice", "panics", "beside_failed")


def made_in(manifest):
    """Names of the steps whose results stay that a run made itself, by its manifest."""
    import yaml
    manifest = yaml.safe_load(manifest)
    stays = {step["id"] for step in manifest["steps"] if step["operation"] in ("train", "spectrum", "test")}
    names = {step["id"]: f"{step['operation']} {step['label']}" for step in manifest["steps"]}
    return [names[step["id"]] for step in manifest["times"]["steps"] if not step["reused"] and step["id"] in stays]
