"""kill -9 at random moments, then the same command again: nothing finished is lost, and the results are those of an
undisturbed run."""
import random
import subprocess

from common import STUDIES, finished, fresh, leftovers, results


def kills(campaign, count, seed):
    random_ = random.Random(seed)
    found = dict(kills=0, ended_first=0, lost=0, wrong=0, failed=0, panics=0, leftovers=0, finished_at_kills=0)
    while found["kills"] < count:
        study = random_.choice(list(STUDIES))
        expected, seconds, _ = campaign.reference(study)
        folder = fresh(campaign.work / "kills")
        cache, reports = folder / "cache", folder / "reports"
        before = {}
        for _ in range(random_.choice([1, 1, 2, 3])):
            process = campaign.start(campaign.command(study, reports), cache)
            try:
                process.wait(random_.random() * seconds)
                found["ended_first"] += 1
            except subprocess.TimeoutExpired:
                process.kill()
                found["kills"] += 1
            _, err = process.communicate()
            found["panics"] += b"panicked" in err
            now = finished(cache)
            found["lost"] += sum(now.get(step) != stamp for step, stamp in before.items())
            found["finished_at_kills"] += len(now)
            before = now
        code, _, err, _ = campaign.run(campaign.command(study, reports), cache)
        found["panics"] += "panicked" in err
        found["failed"] += code != 0
        if code == 0:
            found["wrong"] += results(reports) != expected
            now = finished(cache)
            found["lost"] += sum(now.get(step) != stamp for step, stamp in before.items())
            left = leftovers(cache, reports)
            found["leftovers"] += len(left)
            for name in left:
                print("   ", study, "left", name, flush=True)
    return found, ("lost", "wrong", "failed", "panics", "leftovers")
