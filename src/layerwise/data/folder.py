"""Folders as data sets, one sub-folder a class: pictures, texts and sounds, read when a batch asks for them."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..config import checked_data_format
from ..naming import expect, one_of, whole_number
from ..terminal import say
from .dataset.dataset import Dataset
from .dataset.transforming import AUTOTUNE
from .images import largest_box, read_image, resize_images
from .wav import read_wav, resample

_CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")
_PICTURES, _TEXTS, _SOUNDS = (".bmp", ".gif", ".jpeg", ".jpg", ".png"), (".txt",), (".wav",)


@dataclass
class _Files:
    """What the three functions have in common: which files, their labels, and how they are split and mixed."""

    what: str
    directory: str | PathLike[str]
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool

    def datasets(self, endings: tuple[str, ...], load: Callable[[str], Any], padded: bool = False) -> Any:
        """The data set of the files with these endings, or both of them; each reads a file by `load`."""
        self._check()
        seed = int(np.random.randint(10**6)) if self.seed is None else self.seed
        paths, labels, names = self._indexed(endings)
        if self.label_mode == "binary" and len(names or ()) != 2:
            raise ValueError(f"{self.what}: label_mode: 'binary' needs two classes, got {names}")
        if self.shuffle:  # as Keras does it, so that the same seed splits alike
            order = np.arange(len(paths))
            np.random.RandomState(seed).shuffle(order)
            paths = [paths[i] for i in order]
            labels = None if labels is None else labels[order]
        held = int((self.validation_split or 0) * len(paths))
        parts = {"training": slice(0, len(paths) - held), "validation": slice(len(paths) - held, None)}
        if self.subset is None:
            wanted = [("", slice(None))]
        else:
            wanted = [(name, part) for name, part in parts.items() if self.subset in (name, "both")]
        made = []
        for name, part in wanted:
            chosen = paths[part]
            if not chosen:
                raise ValueError(
                    f"{self.what}: {self.directory}: no {name or 'such'} files: expected files that end in "
                    f"{', '.join(endings)}"
                )
            if name and self.verbose:
                say(f"Using {len(chosen)} files for {name}.")
            mixes = self.shuffle and not (self.subset == "both" and name == "validation")
            element = self._reader(chosen, None if labels is None else labels[part], len(names or ()), load)
            data = self._dataset(Dataset.range(len(chosen)), element, seed if mixes else None, padded)
            data.class_names, data.file_paths = names, chosen
            made.append(data)
        return made if self.subset == "both" else made[0]

    def _check(self) -> None:
        what = self.what
        if self.labels is None or self.label_mode is None:
            self.labels = self.label_mode = None
        one_of(f"{what}: label_mode", self.label_mode, "int", "categorical", "binary", None)
        is_list = isinstance(self.labels, list | tuple)
        expect(
            f"{what}: labels", self.labels, is_list or self.labels in ("inferred", None), "'inferred', None or a list"
        )
        if self.class_names is not None and self.labels != "inferred":
            raise ValueError(
                f"{what}: class_names: they are names of sub-folders; expected labels='inferred' with them"
            )
        split = self.validation_split
        expect(f"{what}: validation_split", split, not split or 0 < split < 1, "a number between 0 and 1")
        one_of(f"{what}: subset", self.subset, "training", "validation", "both", None)
        if bool(split) != (self.subset is not None):
            raise ValueError(f"{what}: validation_split and subset: expected both of them, or none")
        if split and self.shuffle and self.seed is None:
            raise ValueError(f"{what}: seed: a shuffled split needs one, so that its two parts share no file")
        if self.batch_size is not None:
            whole_number(f"{what}: batch_size", self.batch_size)

    def _indexed(self, endings: tuple[str, ...]) -> tuple[list[str], np.ndarray | None, list[str] | None]:
        """The files' paths, their labels and the classes' names."""
        folder = Path(self.directory)
        names = None
        if self.labels == "inferred":
            there = sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
            names = there if self.class_names is None else list(self.class_names)
            if missing := sorted(set(names) - set(there)):
                raise ValueError(f"{self.what}: class_names: {folder} has no folder {missing[0]!r}; it has {there}")
        groups = [list(self._walk(folder / name, endings)) for name in (names if names is not None else [""])]
        paths = [path for group in groups for path in group]
        labels = None
        if names is not None:
            labels = np.repeat(np.arange(len(names), dtype=np.int32), [len(group) for group in groups])
        elif self.labels is not None:
            if len(self.labels) != len(paths):
                raise ValueError(
                    f"{self.what}: labels: got {len(self.labels)} of them, found {len(paths)} files in {folder}"
                )
            labels, names = np.asarray(self.labels, np.int32), [str(label) for label in sorted(set(self.labels))]
        if self.verbose:
            classes = "" if names is None else f" belonging to {len(names)} classes"
            say(f"Found {len(paths)} files{classes}.")
        return paths, labels, names

    def _walk(self, folder: Path, endings: tuple[str, ...]) -> Iterator[str]:
        for root, _, files in sorted(os.walk(folder, followlinks=self.follow_links)):
            yield from (os.path.join(root, name) for name in sorted(files) if name.lower().endswith(endings))

    def _reader(
        self, paths: list[str], labels: np.ndarray | None, classes: int, load: Callable[[str], Any]
    ) -> Callable[[int], Any]:
        """What gives the element of each number: a file's content, and its label."""

        def element(i: int) -> Any:
            if labels is None:
                return load(paths[i])
            if self.label_mode == "categorical":
                return load(paths[i]), (np.arange(classes) == labels[i]).astype(np.float32)
            return load(paths[i]), labels[i : i + 1].astype(np.float32) if self.label_mode == "binary" else labels[i]

        return element

    def _dataset(self, numbers: Dataset, element: Callable[[int], Any], seed: int | None, padded: bool) -> Dataset:
        """Batches of the numbers' elements, in an order by this seed if there is one."""
        data = numbers if seed is None else numbers.shuffle(seed=seed)
        data = data.map(element, num_parallel_calls=AUTOTUNE)
        if self.batch_size is not None:
            data = data.padded_batch(self.batch_size) if padded else data.batch(self.batch_size)
        return data.prefetch(AUTOTUNE)


def image_dataset_from_directory(
    directory: str | PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A data set of (pictures, labels) from a folder with one sub-folder a class

    Pictures (batch, height, width, channels) are float32 in 0 ... 255, read and resized in threads when they are asked
    for: BMP, GIF (its first picture), JPEG and PNG, by Pillow. The data set tells its `class_names` and `file_paths`.

    Args:
        directory: the folder; sub-folders of a class' folder belong to the class.
        labels: "inferred" from the sub-folders, whole numbers for all files in the order of their paths, or None.
        label_mode: "int", int32; "categorical", 0 and 1 for each class; "binary", 0 or 1 (batch, 1) for two classes; or
            None: pictures alone.
        class_names: the sub-folders in the order of their labels; by default they are sorted.
        color_mode: "grayscale", "rgb" or "rgba".
        batch_size: None: single pictures.
        image_size: (height, width), or one number for both.
        shuffle: in another order each epoch.
        seed: of the order and the split; the split with a seed is the one that Keras makes.
        validation_split: the part of the files that is kept for validation.
        subset: "training" or "validation", the part to be had, or "both": a list of two data sets.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        follow_links: also look into folders that are links.
        crop_to_aspect_ratio, pad_to_aspect_ratio: cut off or fill up with 0, at both sides, instead of stretching.
        data_format: "channels_last" or "channels_first", by default as configured.
        format: Keras' "tf" or "grain", without effect.
        verbose: print how many files were found.
    """
    what = "image_dataset_from_directory"
    channels = _CHANNELS[one_of(f"{what}: color_mode", color_mode, *_CHANNELS)]
    sides = (image_size, image_size) if isinstance(image_size, int) else image_size
    expect(f"{what}: image_size", image_size, isinstance(sides, tuple | list) and len(sides) == 2, "(height, width)")
    size = whole_number(f"{what}: image_size", sides[0]), whole_number(f"{what}: image_size", sides[1])
    one_of(f"{what}: interpolation", interpolation, *_INTERPOLATIONS)
    one_of(f"{what}: format", format, "tf", "grain")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(f"{what}: crop_to_aspect_ratio and pad_to_aspect_ratio: expected at most one of them")
    is_first = checked_data_format(data_format, f"{what}: data_format") == "channels_first"

    def load(path: str) -> np.ndarray:
        pixels = read_image(path, channels=channels, upright=False).astype(np.float32)
        if crop_to_aspect_ratio:
            top, left, height, width = largest_box(pixels.shape[0], pixels.shape[1], *size)
            pixels = pixels[top : top + height, left : left + width]
        elif pad_to_aspect_ratio:
            pixels = _framed(pixels, size)
        pixels = resize_images(pixels[None], size, interpolation, antialias=False)[0]
        return pixels.transpose(2, 0, 1) if is_first else pixels

    files = _Files(
        what, directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
        follow_links, verbose,
    )  # fmt: skip
    return files.datasets(_PICTURES, load)


def _framed(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The picture with zeros at two sides, so that it has the proportions of `size`."""
    height, width = pixels.shape[:2]
    more = max(0, width * size[0] // size[1] - height) // 2, max(0, height * size[1] // size[0] - width) // 2
    return np.pad(pixels, ((more[0], more[0]), (more[1], more[1]), (0, 0)))


def text_dataset_from_directory(
    directory: str | PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A data set of (texts, labels) from a folder with one sub-folder a class: what its files `*.txt` hold

    Texts (batch,) are read as UTF-8; bytes that are none become U+FFFD. As in `image_dataset_from_directory`:
    directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
    format, verbose.

    Args:
        max_length: characters of a text that are kept.
    """
    what = "text_dataset_from_directory"
    one_of(f"{what}: format", format, "tf", "grain")

    def load(path: str) -> str:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read() if max_length is None else file.read(max_length)

    files = _Files(
        what, directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
        follow_links, verbose,
    )  # fmt: skip
    return files.datasets(_TEXTS, load)


def audio_dataset_from_directory(
    directory: str | PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """A data set of (sounds, labels) from a folder with one sub-folder a class: its WAV files

    Sounds (batch, samples, channels) are float32 in -1 ... 1. As in `image_dataset_from_directory`: directory, labels,
    label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links, verbose.

    Args:
        sampling_rate: samples a second that they are brought to, by their spectrum; by default they stay as they are.
        output_sequence_length: samples of a sound, cut off or filled up with 0; by default as many as the longest of
            the batch has.
        ragged: sounds of their own lengths, which no array can hold: refused.
    """
    what = "audio_dataset_from_directory"
    expect(f"{what}: ragged", ragged, not ragged, "False; give output_sequence_length, or batch_size=None")
    if sampling_rate is not None:
        whole_number(f"{what}: sampling_rate", sampling_rate)
    if output_sequence_length is not None:
        whole_number(f"{what}: output_sequence_length", output_sequence_length)

    def load(path: str) -> np.ndarray:
        samples, rate = read_wav(path)
        samples = samples if sampling_rate is None else resample(samples, rate, sampling_rate)
        if output_sequence_length is None:
            return samples
        samples = samples[:output_sequence_length]
        return np.pad(samples, ((0, output_sequence_length - len(samples)), (0, 0)))

    files = _Files(
        what, directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset,
        follow_links, verbose,
    )  # fmt: skip
    made = files.datasets(_SOUNDS, load, padded=output_sequence_length is None)
    return tuple(made) if isinstance(made, list) else made
