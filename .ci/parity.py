"""Keras' public names that are here, by namespace, and what the others say: printed, and written to tests/parity.md.

    python .ci/parity.py
"""

from importlib import import_module
from pathlib import Path

from layerwise.lazy import keras_names

PAGE = Path(__file__).parents[1] / "tests" / "parity.md"
HEAD = """# Public names of Keras

Written by .ci/parity.py (`make parity`): how many of Keras' public names are in Layerwise, and what those that are not
say when a program asks for them. What behaves differently on purpose is in docs/keras.md.
"""


def absent(namespace: str, names: set[str]) -> dict[str, str]:
    """The names of a namespace of Keras' that its namesake here lacks, with what asking for one says."""
    said = {}
    for name in sorted(names):
        try:
            getattr(import_module(namespace.replace("keras", "layerwise", 1)), name)
        except (AttributeError, ModuleNotFoundError) as error:
            said[name] = str(error)
    return said


def report() -> str:
    names = keras_names()
    lacking = {namespace: absent(namespace, held) for namespace, held in sorted(names.items())}
    rows = [(namespace, len(names[namespace]), len(said)) for namespace, said in lacking.items()]
    others = [row for row in rows if row[0] != "keras.applications"]
    rows.append(("all but applications", sum(held for _, held, _ in others), sum(lacked for *_, lacked in others)))
    table = [f"| {name} | {held - lacked} | {held} | {1 - lacked / held:.0%} |" for name, held, lacked in rows]
    said = [f"- `{name}`: {why}" for absent_names in lacking.values() for name, why in absent_names.items()]
    heads = ["| namespace | here | in Keras | share |", "|---|---|---|---|"]
    return "\n".join([HEAD, *heads, *table, "", "## What the others say", "", *said, ""])


if __name__ == "__main__":
    text = report()
    PAGE.write_text(text, "utf-8")
    print(text)
