"""What the parts of the campaign share: running gradstudy, and telling whether two runs hold the same results."""
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# A study of each kind of work, and the options that it is run with.
STUDIES = {
    "training": [], "kept": [], "spilled": ["--memory", "30MB"], "spectra": [], "curvature": [], "sweep": [],
}
# What a run holds besides documents, times and provenance.
RESULTS = ("results.yaml", "spectra.json", "samples.safetensors", "verdicts.safetensors")


class Campaign:
    """A work folder, the binary, and the counts of what was tried."""

    def __init__(self, binary, work):
        self.binary, self.work = str(Path(binary).resolve()), Path(work).resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self._reference = {}

    def start(self, arguments, cache, **options):
        """A process of gradstudy that works with `cache`."""
        environment = dict(os.environ, NO_COLOR="1", GRADSTUDY_CACHE=str(cache))
        options.setdefault("cwd", self.work)
        return subprocess.Popen([self.binary, *map(str, arguments)], env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def run(self, arguments, cache, timeout=300, **options):
        """Exit code, standard output and error, and seconds."""
        began = time.time()
        process = self.start(arguments, cache, **options)
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            return "timeout", text(out), text(err), time.time() - began
        return process.returncode, text(out), text(err), time.time() - began

    def command(self, study, reports):
        """The arguments that run one of STUDIES on one thread."""
        path = HERE / "studies" / f"{study}.study"
        return ["run", path, "--threads", 1, "--quiet", "--reports-dir", reports, *STUDIES[study]]

    def reference(self, study):
        """The results of an undisturbed run, its seconds, and the cache and reports it left."""
        if study not in self._reference:
            folder = fresh(self.work / "reference" / study)
            code, _, err, seconds = self.run(self.command(study, folder / "reports"), folder / "cache")
            assert code == 0, err
            self._reference[study] = (results(folder / "reports"), seconds, folder)
        return self._reference[study]


def text(raw):
    return raw.decode(errors="replace")


def fresh(folder):
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def runs(reports):
    return sorted(path.parent for path in Path(reports).glob("*/*/manifest.yaml") if path.parent.name[0] != ".")


def results(reports, run=-1):
    """Digests of the results of a run, the last one if not told otherwise, by file."""
    folder = runs(reports)[run]
    files = [folder / name for name in RESULTS if (folder / name).is_file()] + sorted(folder.glob("*.csv"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def finished(cache):
    """Finished steps, each with what tells whether it was made again."""
    steps = Path(cache) / "steps"
    keys = steps.glob("*/key.json") if steps.is_dir() else []
    return {key.parent.name: (key.stat().st_ino, key.stat().st_mtime_ns) for key in keys
            if key.parent.name[0] != "." and not key.parent.name.endswith(".partial")}


def leftovers(cache, reports):
    """Names of what should not be there after a run."""
    found = [path.name for path in (Path(cache) / "steps").iterdir()
             if path.name.endswith((".partial", ".lock")) or path.name.startswith(".new-")]
    return found + [path.name for path in Path(reports).rglob(".new-*")]
