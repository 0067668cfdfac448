"""Fuzzing of every reader of files with atheris: `make fuzz`, FUZZ_SECONDS for each reader.

    python .ci/fuzz.py READER SECONDS FOLDER     one reader, from files of the corpus

A reader may return, or raise FileFormatError; anything else is a finding, as are 10 seconds for a file and 1 GiB of
memory. atheris leaves findings in FOLDER. Zip archives and gzip streams are mutated inside too, and closed again with
right sizes and CRCs, which a change from outside never gets past.
"""

import gzip
import io
import random
import sys
import warnings
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["layerwise.saving", "layerwise.data"]):
    import hostile_files
    import read_files
    from layerwise.saving import FileFormatError, api  # noqa: F401  whose readers are not to be imported later


def inside(data: bytes, max_size: int, seed: int) -> bytes:
    """A mutation of a member of an archive, of what a stream holds, or (one time in four) of the bytes as they are."""
    rng = random.Random(seed)
    try:
        if data[:2] == b"\x1f\x8b" and rng.randrange(4):
            made = gzip.compress(atheris.Mutate(gzip.decompress(data), max_size), 1)
        elif data[:2] == b"PK" and rng.randrange(4):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            name = rng.choice(list(members))
            members[name] = atheris.Mutate(members[name], max_size)
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as archive:
                for name, content in members.items():
                    archive.writestr(name, content)
            made = file.getvalue()
        else:
            made = b""
    except Exception:  # damaged already
        made = b""
    return made if 0 < len(made) <= max_size else atheris.Mutate(data, max_size)


def main(ending: str, seconds: str, folder: Path) -> None:
    seeds, found, file = folder / "seeds", folder / "findings", folder / f"file{ending}"
    for path in (seeds, found):
        path.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for case in hostile_files.corpus(folder):
        if case.name.endswith(ending) and len(case.content) < 1 << 20:
            (seeds / case.name).write_bytes(case.content)
    read = read_files.readers()[ending]

    def one(data: bytes) -> None:
        file.write_bytes(data)
        try:
            read(file)
        except FileFormatError as error:
            if "MemoryError" in str(error):
                raise MemoryError(str(error)) from error

    limits = ["-rss_limit_mb=1024", "-timeout=10", "-report_slow_units=60", "-max_len=200000", "-print_final_stats=1"]
    limits += [f"-max_total_time={seconds}", f"-artifact_prefix={found}/", str(seeds)]
    atheris.Setup([sys.argv[0], *limits], one, custom_mutator=inside)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
