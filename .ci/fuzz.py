"""Fuzzing of every reader of files with atheris: `make fuzz`, FUZZ_SECONDS for each reader.

    python .ci/fuzz.py READER SECONDS FOLDER     one reader, from files of the corpus

A reader may return, or raise FileFormatError; anything else is a finding, as are 10 seconds for a file and 1 GiB of
memory. atheris leaves findings in FOLDER.
"""

import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["layerwise.saving", "layerwise.data"]):
    import hostile_files
    import read_files
    from layerwise.saving import FileFormatError, api  # noqa: F401  whose readers are not to be imported later


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

    limits = ["-rss_limit_mb=1024", "-timeout=10", "-max_len=200000", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", f"-artifact_prefix={found}/", *limits, str(seeds)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
