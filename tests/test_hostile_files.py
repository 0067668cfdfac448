"""What readers do with hostile and damaged files, and what saving leaves behind when it fails or is killed."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
import pytest

import growing_files
import hostile_files
import layerwise
from layerwise import saving
from layerwise.saving import FileFormatError

HERE = Path(__file__).parent
KILLS = int(os.environ.get("KILLS", 20))
FLIPS = int(os.environ.get("FLIPS", 60))


def child(*arguments: str | Path, backend: str | None = None, **options) -> subprocess.Popen:
    paths = os.pathsep.join([str(HERE), str(HERE.parent / "src")])
    environment = {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
    if backend:
        environment["LAYERWISE_BACKEND"] = backend
    return subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, text=True, **options)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_every_file_of_the_corpus_is_read_or_refused_as_expected(tmp_path):
    folder = tmp_path / "files"
    folder.mkdir()
    expected = hostile_files.write(folder, hostile_files.corpus)
    before = everything(tmp_path)
    assert len(expected) >= 300
    assert outcomes(folder, expected) == expected
    assert everything(tmp_path) == before


def test_values_that_are_wider_in_the_model_stay_within_the_limit_of_memory(tmp_path):
    expected = hostile_files.write(tmp_path, hostile_files.wide)
    assert outcomes(tmp_path, expected) == expected


def test_memory_and_time_grow_no_faster_than_files(tmp_path):
    expected = hostile_files.write(tmp_path, growing_files.growing)
    results = read_apart(tmp_path)
    assert agreed(results, expected) == expected
    first, *_, last = growing_files.SIZES
    for name, (_, seconds) in results.items():  # of computing, which other processes take no part of
        if f"of-{last}." in name:
            assert seconds < 2 * last / first * results[name.replace(str(last), str(first))][1] + 1, name


def test_no_number_in_a_configuration_asks_for_more_than_the_file_may(tmp_path):
    expected = hostile_files.write(tmp_path, growing_files.counts)
    assert len(expected) > 500
    assert agreed(read_apart(tmp_path), expected) == expected


def outcomes(folder: Path, names: Iterable[str]) -> dict[str, str | None]:
    """What a process with little memory makes of the files."""
    found = read_apart(folder)
    return {name: found[name][0] if name in found else None for name in names}


def agreed(results: dict[str, tuple[str, float]], expected: dict[str, str | None]) -> dict[str, str | None]:
    """The outcomes; None for those that are read or refused, where either is well."""
    found = {name: results.get(name, ("nothing", 0.0))[0] for name in expected}
    either = (hostile_files.READ, hostile_files.REFUSED)
    return {name: None if expected[name] is None and found[name] in either else found[name] for name in expected}


def read_apart(folder: Path) -> dict[str, tuple[str, float]]:
    """What a process with little memory makes of the files of a folder, and the seconds that it computes."""
    xla = os.environ.get("LAYERWISE_BACKEND") == "xla"  # its compiler takes memory that no file asks for
    reader = child(HERE / "read_files.py", folder, backend="numpy" if xla else None, stdout=subprocess.PIPE, cwd=folder)
    output, _ = reader.communicate(timeout=120)
    assert reader.returncode == 0
    return {name: (outcome, seconds) for name, outcome, seconds in map(json.loads, output.splitlines())}


def test_flipped_bits_are_found_or_change_nothing(tmp_path):
    path = tmp_path / "m.keras"
    hostile_files.network().save(path)
    content = path.read_bytes()
    random.seed(0)

    def state() -> tuple:
        model = saving.load_model(path)
        values = [np.asarray(v) for v in (*model.weights, *model.optimizer.variables)]
        return [(v.dtype, v.tolist()) for v in values], model.to_json(), model.compiled

    known = state()
    refused = 0
    for _ in range(FLIPS):
        place = random.randrange(len(content))
        path.write_bytes(hostile_files.patched(content, place, bytes([content[place] ^ 1 << random.randrange(8)])))
        try:
            assert state() == known, place
        except FileFormatError:
            refused += 1
    assert refused > FLIPS / 2


def test_every_tensor_has_its_hash_and_keras_opens_the_file(tmp_path):
    import keras  # not at the top: children of these tests start without it

    model = hostile_files.network()
    model.save(tmp_path / "m.keras")
    metadata = json.loads(hostile_files.members((tmp_path / "m.keras").read_bytes())["metadata.json"])
    assert len(metadata["layerwise_sha256"]) == len(model.weights) + len(model.optimizer.variables)
    theirs = keras.models.load_model(tmp_path / "m.keras")
    for ours, other in zip(model.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, other)
    model.save(tmp_path / "m", zipped=False)
    with h5py.File(tmp_path / "m" / "model.weights.h5", "r+") as file:  # no CRC watches over a folder
        file["layers/dense/vars/1"][0] = 7
    with pytest.raises(FileFormatError, match=r"layers/dense/vars: '1': its SHA-256 is not"):
        saving.load_model(tmp_path / "m")


def test_the_examples_of_the_page_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (HERE.parent / "docs" / "trust.md").read_text("utf-8")
    for example in page.split("```python\n")[1:]:
        exec(example.split("```")[0], {})


# Saving


NAMES = ["m.keras", "m.h5", "m.weights.h5", "m.safetensors", "folder"]


def save(model: layerwise.Model, path: Path) -> None:
    if path.suffix in (".keras", ""):
        model.save(path, zipped=None if path.suffix else False)
    else:
        (model.save if path.name == "m.h5" else model.save_weights)(path)


def kernel(path: Path) -> float:
    """What all weights of the model in the file are, each the same."""
    model = hostile_files.network()
    if path.name.endswith((".weights.h5", ".safetensors")):
        model.load_weights(path)
    else:
        model = saving.load_model(path)
    (value,) = {float(v) for weight in model.get_weights() for v in np.ravel(weight)}
    return value


def filled(value: float) -> layerwise.Model:
    model = hostile_files.network()
    model.set_weights([np.full_like(weight, value) for weight in model.get_weights()])
    return model


class Disk:
    """Python's and the system's calls on files; the n-th one fails."""

    CALLS = ("open", "fsync", "replace", "rename", "mkdir", "close", "stat")

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int, failing: int) -> None:
        self.count, self.failing, self.number = 0, failing, number
        self.failed = ""
        for name in self.CALLS:
            if name != "stat":
                monkeypatch.setattr(os, name, self.wrapped(name, getattr(os, name)))
        import builtins

        original = builtins.open

        def opened(path, mode="r", *args, **kwargs):
            file = original(path, mode, *args, **kwargs)
            if not set(mode) & set("wxa+") or not self.watching:
                return file
            self.step("open for writing")
            return Watched(file, self)

        self.watching = False
        monkeypatch.setattr(builtins, "open", opened)
        write_bytes = Path.write_bytes
        monkeypatch.setattr(Path, "write_bytes", lambda path, data: (self.step("write"), write_bytes(path, data))[1])

    def step(self, name: str) -> None:
        if not self.watching:
            return
        self.count += 1
        if self.count == self.failing:
            self.failed = name
            raise OSError(self.number, os.strerror(self.number))

    def wrapped(self, name, call):
        def run(*args, **kwargs):
            if name == "close":  # the descriptor is closed, whatever is reported
                call(*args, **kwargs)
                return self.step(name)
            self.step(name)
            return call(*args, **kwargs)

        return run


class Watched:
    """A file whose writes count as calls."""

    def __init__(self, file, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def __getattr__(self, name):
        value = getattr(self._file, name)
        if name not in ("write", "flush", "truncate", "seek"):
            return value

        def call(*args):
            self._disk.step(name)
            return value(*args)

        return call

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()


@pytest.mark.parametrize("name", NAMES)
def test_every_call_that_fails_is_reported_and_loses_nothing(name, tmp_path):
    import errno

    path = tmp_path / name
    save(filled(1.0), path)
    new = filled(2.0)
    failing, seen = 0, set()
    while True:
        failing += 1
        number = (errno.ENOSPC, errno.EIO, errno.EACCES)[failing % 3]
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(patch, number, failing)
            disk.watching = True
            try:
                save(new, path)
                error = None
            except Exception as raised:
                error = raised
            finally:
                disk.watching = False
        if not disk.failed:
            break
        assert error is not None, disk.failed
        seen.add(disk.failed)
        value = kernel(path)
        assert value in (1.0, 2.0), disk.failed
        left = [p for p in tmp_path.iterdir() if p.name != name]
        assert not left or (name == "folder" and value == 2.0), disk.failed
        for old in left:  # what could not be removed once the new folder was in place
            shutil.rmtree(old)
        if value == 2.0:  # only what comes after the rename may fail with the new file in place
            save(filled(1.0), path)
    assert kernel(path) == 2.0
    assert seen >= {"fsync", "open", "rename" if name == "folder" else "replace"}, seen


@pytest.mark.skipif(os.name != "posix", reason="locks tell of files that somebody works on")
@pytest.mark.parametrize("name", ["m.keras", "folder"])
def test_what_killed_processes_left_is_swept_by_the_next_that_saves(name, tmp_path):
    import fcntl

    path, model = tmp_path / name, hostile_files.network()
    names = [f".{name}.0123abcd", f".{name}.0123abce.new", f".{name}.0123abcf.old", f".{name}.0123abc", ".m.0123abcd"]
    for i, left in enumerate(names):
        if i in (1, 2):
            (tmp_path / left).mkdir()
        (tmp_path / left / "config.json" if i in (1, 2) else tmp_path / left).write_text("half")
        os.utime(tmp_path / left, (1, 1))
    with open(tmp_path / names[0]) as claimed:
        fcntl.flock(claimed, fcntl.LOCK_EX)  # as of a process that goes on
        save(model, path)
    assert {p.name for p in tmp_path.iterdir()} == {name, names[0], *names[3:]}
    save(model, path)
    assert {p.name for p in tmp_path.iterdir()} == {name, *names[3:]}


KILLER = """
import os, random, shutil, signal, sys, time
from pathlib import Path
import test_hostile_files as here
folder, count = Path(sys.argv[1]), int(sys.argv[2])
models = [here.filled(1.0), here.filled(2.0)]
random.seed(1)
outcomes = {1.0: 0, 2.0: 0}
for i in range(count):
    path = folder / here.NAMES[i % len(here.NAMES)]
    began = time.perf_counter()
    here.save(models[0], path)
    seconds = time.perf_counter() - began  # more on a busy machine
    process = os.fork()
    while process == 0:
        for model in reversed(models):
            here.save(model, path)
    time.sleep(random.uniform(0, 0.05 + 4 * seconds))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    outcomes[here.kernel(path)] += 1
    for left in folder.glob(".*"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()
print(sum(outcomes.values()), min(outcomes.values()) > 0, outcomes)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="folders are exchanged at once on Linux alone")
def test_killed_at_any_moment_the_old_or_the_new_is_there(tmp_path):
    killer = child("-c", KILLER, tmp_path, str(KILLS), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = killer.communicate(timeout=600)
    assert killer.returncode == 0, output
    assert output.splitlines()[-1].startswith(f"{KILLS} True"), output  # JAX warns of forks before
