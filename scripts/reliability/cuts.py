"""Power cuts: an ext4 on a loop device that is shut down without flushing anything (EXT4_IOC_SHUTDOWN), mounted again, and
the same command run again. Needs root and loop devices."""
import fcntl
import os
import random
import struct
import subprocess
import time

from common import STUDIES, fresh, results, runs

SHUTDOWN, WITHOUT_FLUSH = 0x8004587D, 2


def system(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def cuts(campaign, count, seed):
    random_ = random.Random(seed)
    found = dict(cuts=0, ended_first=0, wrong=0, old_runs_wrong=0, old_runs_named=0, failed=0, panics=0)
    folder = fresh(campaign.work / "cuts")
    image, mount = folder / "image", folder / "mount"
    mount.mkdir()
    while found["cuts"] < count:
        study = random_.choice(list(STUDIES))
        expected, seconds, _ = campaign.reference(study)
        with open(image, "wb") as file:
            file.truncate(400 << 20)
        system("mkfs.ext4", "-q", "-F", str(image))
        # The journal is written every second instead of every five: more of the work is half on the disk.
        system("mount", "-o", f"loop,commit={random_.choice([1, 5])}", str(image), str(mount))
        command = campaign.command(study, mount / "reports")
        process = campaign.start(command, mount / "cache")
        time.sleep(random_.random() * seconds * 1.2)
        found["ended_first"] += process.poll() is not None
        descriptor = os.open(mount, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_FLUSH))
        os.close(descriptor)
        process.kill()
        process.communicate()
        system("umount", str(mount))
        system("mount", "-o", "loop", str(image), str(mount))
        found["cuts"] += 1
        before = runs(mount / "reports")
        code, _, err, _ = campaign.run(command, mount / "cache")
        found["panics"] += "panicked" in err
        found["failed"] += code != 0
        if code == 0:
            found["wrong"] += results(mount / "reports") != expected
        # A run that was written before the cut is as it was, or says that it is not.
        for old in before:
            code, _, err, _ = campaign.run(["report", old, "--to", folder / "again"], mount / "cache")
            found["old_runs_named"] += code != 0
            if code == 0:
                found["old_runs_wrong"] += results(mount / "reports", runs(mount / "reports").index(old)) != expected
        system("umount", str(mount))
    return found, ("wrong", "old_runs_wrong", "failed", "panics")
