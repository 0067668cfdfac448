"""A folder of images with one sub-folder a class."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from .images import fit_image, image_head, read_image

_ENDINGS = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
_MOST_BYTES = 4 << 30


@dataclass
class ImageFolder:
    """images (n, height, width, channels) uint8, labels (n,) int64 that index class_names, and their paths.

    passed_over: what else is in the folder, without what is hidden.
    """

    images: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]
    paths: tuple[Path, ...]
    passed_over: tuple[str, ...] = ()


def class_folders(path: str | PathLike[str]) -> dict[str, list[Path]]:
    """The image files of each sub-folder that has some, both in alphabetical order; hidden ones are passed over."""
    folders = sorted(p for p in Path(path).iterdir() if p.is_dir() and not p.name.startswith("."))
    images = {
        folder.name: sorted(
            p for p in folder.iterdir() if p.suffix.lower() in _ENDINGS and not p.name.startswith(".") and p.is_file()
        )
        for folder in folders
    }
    return {name: files for name, files in images.items() if files}


def passed_over(path: str | PathLike[str], classes: Mapping[str, Sequence[Path]]) -> tuple[str, ...]:
    """What is in a folder, or in those of these classes, and is not among the classes' files."""
    found = []
    for entry in sorted(p for p in Path(path).iterdir() if not p.name.startswith(".")):
        if entry.name not in classes:
            found.append(f"{entry.name}/" if entry.is_dir() else entry.name)
        elif used := set(classes[entry.name]):
            others = sorted(p for p in entry.iterdir() if not p.name.startswith(".") and p not in used)
            found += [f"{entry.name}/{p.name}" for p in others]
    return tuple(found)


def read_image_folder(
    path: str | PathLike[str],
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    most_pixels: int | None = None,
) -> ImageFolder:
    """The images under `path`, where each sub-folder holds the images of the class it is named after.

    size (height, width): what images are brought to; None: the size most of them have. channels: 1 grey or 3 RGB;
    None: 1 if all are grey. most_pixels: of a file, as in `images.read_image`. Needs Pillow (`layerwise[images]`). The
    memory needed is known from the files' headers before it is reserved. Raises `ValueError` naming the file for an
    image that cannot be read, and for a folder without images or with more than 4 GiB of pixels.

    >>> folder = getfixture("tmp_path") / "cat"
    >>> folder.mkdir()
    >>> from layerwise.data.images import pillow
    >>> pillow().fromarray(np.zeros((4, 6), np.uint8)).save(folder / "1.png")
    >>> data = read_image_folder(folder.parent)
    >>> data.images.shape, data.class_names
    ((1, 4, 6, 1), ('cat',))
    """
    classes = class_folders(path)
    if not classes:
        raise ValueError(f"{path}: no images there: expected one sub-folder a class with {', '.join(sorted(_ENDINGS))}")
    paths = [file for files in classes.values() for file in files]
    heads = [image_head(file, most_pixels) for file in paths]
    height, width = size or Counter(head[:2] for head in heads).most_common(1)[0][0]
    channels = channels or (1 if all(head[2] == 1 for head in heads) else 3)
    shape = (len(paths), height, width, channels)
    if (needed := len(paths) * height * width * channels) > _MOST_BYTES:
        raise ValueError(f"{path}: {len(paths)} images of {shape[1:]} need {needed >> 20} MiB; give a smaller size")
    images = np.empty(shape, np.uint8)
    for image, file in zip(images, paths):
        image[...] = fit_image(read_image(file, most_pixels), shape[1:])
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in classes.values()])
    return ImageFolder(images, labels, tuple(classes), tuple(paths), passed_over(path, classes))
