"""The `layerwise` command: train, evaluate and use models without writing code."""

import argparse
import contextlib
import math
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import NoReturn

from .. import __version__
from ..data.columns import MISSING
from ..naming import suggest
from ..terminal import printable

_DESCRIPTION = """\
Train a neural network on your own images or tables, look at it, and use it.

  layerwise train                                 real handwritten digits, which come with Layerwise
  layerwise train --data photos/                  a folder with one sub-folder of images a class
  layerwise train --data pets.csv --target kind   predict the column 'kind' from the others
"""
_DATA = """\
what to learn from (default: digits):
  digits, mnist, fashion_mnist, cifar10: data sets by name; digits comes with Layerwise
  a folder with MNIST's IDX files (.gz or not)
  a folder of images with one sub-folder a class, or with train/ and test/ of that kind
  an .npz with x, y or x_train, y_train, x_test, y_test
  a .csv or .tsv, with --target"""
_MODELS = """\
cnn         convolutional network of the guide (default for images)
mlp         multilayer perceptron with 128 and 64 hidden units (default for tables)
perceptron  one perceptron a class, the highest score wins"""


class Parser(argparse.ArgumentParser):
    """Errors on one line, with the nearest thing that would have been right."""

    def error(self, message: str) -> NoReturn:
        fail(f"{message}; see `{self.prog} --help`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default the process's; returns the exit code.

    0: done; 1: a process that was launched failed; 2: something is wrong with what was given, and standard error says
    what; 130: stopped by Ctrl-C; 141: whoever read the output, such as `| head`, wanted no more.
    """
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _say_nothing_more()
        return 141


def _run(arguments: Sequence[str] | None) -> int:
    """`main`, but for output that nobody reads."""
    try:
        options = _parse(arguments)
        return import_module(options.module).run(options) or 0
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        print("\nlayerwise: stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, ImportError, MemoryError) as error:
        print(f"layerwise: {printable(in_one_line(error), 2000)}", file=sys.stderr)
        return 2
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2


def _say_nothing_more() -> None:
    """Let what is still written, at the latest when Python ends, go nowhere."""
    with contextlib.suppress(OSError, ValueError):  # a test's output is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str) -> NoReturn:
    """End with a line on standard error and exit code 2."""
    print(f"layerwise: {printable(message, 2000)}", file=sys.stderr)
    raise SystemExit(2)


def say(notes: Iterable[str], about: str = "") -> None:
    """Notes on what was left out or filled in, on standard error: what is asked for goes to standard output."""
    for note in notes:
        print(f"layerwise: note: {printable(about + note, 2000)}", file=sys.stderr)


def in_one_line(error: Exception) -> str:
    """What an error says, without a line break; of files that cannot be read or written, which one."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog="layerwise",
        description=_DESCRIPTION,
        formatter_class=argparse.RawTextHelpFormatter,
        epilog="`layerwise train --help` explains what training can be told.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"layerwise {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    def command(name: str, module: str, summary: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.",
            formatter_class=argparse.RawTextHelpFormatter, allow_abbrev=False,
        )  # fmt: skip
        made.set_defaults(module=f"layerwise.cli.{module}", parser=made)
        return made

    _add_train(command("train", "train", "train a model and save it with its history and learning curve"))
    evaluate = command("evaluate", "evaluate", "measure a saved model on test data")
    _add_model(evaluate)
    evaluate.add_argument("--data", default="digits", metavar="PATH", help=_DATA.replace("learn from", "measure on"))
    evaluate.add_argument("--target", metavar="COLUMN", help="of a .csv: the column to predict (default: the model's)")
    _add_delimiter(evaluate)
    summary = command("summary", "summary", "show what a file holds: layers, shapes, parameters, classes")
    summary.add_argument("model", metavar="FILE", help="a .keras, .h5, .weights.h5, .safetensors or .onnx file")
    convert = command("convert", "convert", "write a saved model, or its weights, in another format")
    convert.add_argument("source", metavar="A", help="a .keras or .h5 file; with --layers any file of weights")
    convert.add_argument("target", metavar="B", help="ends in .keras, .h5, .weights.h5, .safetensors or .onnx")
    convert.add_argument("--layers", metavar="MODEL", help="the model whose weights A holds, where A holds no layers")
    convert.add_argument("--overwrite", action="store_true", help="let B be a file that exists")
    predict = command("predict", "predict", "use a saved model on images, or on the rows of a .csv")
    _add_model(predict)
    predict.add_argument("inputs", nargs="+", metavar="FILE", help="images, or .csv files for a model of tables")
    _add_delimiter(predict)
    predict.add_argument("--show", action="store_true", help="save what the network saw, in a folder beside the model")
    compare = command("compare", "compare", "set trainings side by side: results, curves, what differed")
    compare.add_argument("runs", nargs="+", metavar="RUN", help="folders that `layerwise train` wrote: runs/*")
    compare.add_argument("--picture", metavar="FILE", help="draw all curves into this file (.png, .svg, .pdf)")
    launch = command("launch", "launch", "run a program in several processes that train one model")
    launch.add_argument("-n", "--processes", type=_whole, default=2, metavar="N", help="how many (default: 2)")
    launch.add_argument("program", metavar="PROGRAM", help="a Python file that begins with distribution.initialize()")
    launch.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="what it is given")

    known = {name for choice in commands.choices.values() for name in choice._option_string_actions}
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    words = [word for word in given if not word.startswith("-")]
    if words and given[0] == words[0] and words[0] not in commands.choices:
        fail(f"unknown command '{words[0]}'; {suggest(words[0], commands.choices)}")
    options, unknown = parser.parse_known_args(given)
    if unknown:
        name = unknown[0].split("=")[0]
        what = "option" if name.startswith("-") else "argument"
        own = [option for option in options.parser._option_string_actions if option.startswith("--")]
        elsewhere = " (another command has it)" if name in known else ""
        fail(f"unknown {what} '{name}'{elsewhere}; {suggest(name, own)}; see `{options.parser.prog} --help`")
    return options


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="the model.keras file that `layerwise train` wrote")


def _add_delimiter(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--delimiter", type=_delimiter, metavar="SIGN",
        help="of a .csv: between columns, one character or 'tab' (default: found where it is clear)",
    )  # fmt: skip


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", default="digits", metavar="PATH", help=_DATA)
    parser.add_argument("--target", metavar="COLUMN", help="of a .csv: the column to predict from all others")
    parser.add_argument(
        "--task", choices=("classification", "regression"),
        help="whether the target names classes or is a number (default: seen from the data)",
    )  # fmt: skip
    parser.add_argument(
        "--ignore", nargs="+", action="extend", default=[], metavar="COLUMN", help="of a .csv: columns to leave out"
    )
    parser.add_argument(
        "--missing", choices=MISSING,
        help="of a .csv: where values are missing, leave rows out, or fill in the column's mean or most\n"
        "frequent value; text and dates always get the latter (default: such tables are refused)",
    )  # fmt: skip
    _add_delimiter(parser)
    parser.add_argument("--image-size", type=_whole, metavar="N", help="bring images to N x N pixels first")
    parser.add_argument("--model", choices=("cnn", "mlp", "perceptron"), help=_MODELS)
    parser.add_argument(
        "--epochs", type=_whole, metavar="N", help="passes over the training data (default: fewer the more data)"
    )
    parser.add_argument("--batch-size", type=_whole, metavar="B", help="examples in one step")
    parser.add_argument("--optimizer", metavar="NAME", help="adam (default), sgd, rmsprop, adagrad, adamw, ...")
    parser.add_argument(
        "--learning-rate", type=_positive, metavar="R",
        help="size of the first steps; it falls to zero along a cosine (default: what suits the optimizer)",
    )  # fmt: skip
    parser.add_argument(
        "--augment", action=argparse.BooleanOptionalAction,
        help="rotate, shift and zoom the training images at random (default: where there are fewer than 10,000)",
    )  # fmt: skip
    parser.add_argument("--seed", type=_seed, default=0, metavar="S", help="for the same model again (default: 0)")
    parser.add_argument("--out", metavar="FOLDER", help="where results go (default: a new runs/DATE-N)")
    parser.add_argument("--overwrite", action="store_true", help="let --out be a folder that exists")


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got '{text}'")
    return int(text)


def _delimiter(text: str) -> str:
    sign = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(sign) != 1 or sign in '"\r\n':
        raise argparse.ArgumentTypeError(f"expected one character or 'tab', got {text!r}")
    return sign


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 to 4294967295, got '{text}'")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got '{text}'")
    return value
