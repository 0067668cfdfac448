"""Pictures from files and into files, against Keras: the same pixels, sizes and dtypes."""

import io
import itertools

import keras
import numpy as np
import pytest
from keras.src.utils.image_utils import smart_resize as their_smart_resize
from PIL import Image

from layerwise import ops, utils
from layerwise.preprocessing.image import smart_resize
from layerwise.saving import FileFormatError

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One picture of each mode that Pillow writes as PNG, a JPEG and a GIF."""
    folder = tmp_path_factory.mktemp("pictures")
    pixels = RNG.integers(0, 256, (6, 8, 4), np.uint8)
    for mode in "1 L P RGB RGBA I;16".split():
        Image.fromarray(pixels).convert("I" if "I" in mode else mode).convert(mode).save(folder / f"{mode[:4]}.png")
    Image.fromarray(pixels[..., :3]).save(folder / "photo.jpg")
    Image.fromarray(pixels[..., :3]).save(folder / "moving.gif")
    return folder


FILES = "1.png L.png P.png RGB.png RGBA.png I;16.png photo.jpg moving.gif".split()
SIZES = {
    "as it is": {},
    "larger": {"target_size": (9, 12), "interpolation": "bicubic"},
    "cut": {"target_size": (4, 4), "interpolation": "box", "keep_aspect_ratio": True},
    "cut below": {"target_size": (2, 6), "interpolation": "lanczos", "keep_aspect_ratio": True},
}


@pytest.mark.parametrize(("file", "mode"), list(itertools.product(FILES, ("grayscale", "rgb", "rgba"))))
def test_load_img(file, mode, folder):
    for options in SIZES.values():
        got = utils.load_img(folder / file, mode, **options)
        expected = keras.utils.load_img(folder / file, mode, **options)
        assert (got.mode, got.size) == (expected.mode, expected.size)
        for arguments in {}, {"data_format": "channels_first", "dtype": "uint8"}:
            array = utils.img_to_array(got, **arguments)
            np.testing.assert_array_equal(array, keras.utils.img_to_array(expected, **arguments), strict=True)


def test_load_img_from_memory_and_by_bytes(folder):
    data = (folder / "RGB.png").read_bytes()
    for path in io.BytesIO(data), bytes(folder / "RGB.png"), str(folder / "RGB.png"):
        assert utils.load_img(path).size == (8, 6)
    with pytest.raises(FileFormatError, match="not an image that can be read"):
        utils.load_img(io.BytesIO(data[:60]))
    with pytest.raises(FileNotFoundError):
        utils.load_img("no such file.png")


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda f: utils.load_img(f / "L.png", "grey"), r"load_img: color_mode: got 'grey', expected 'grayscale'"),
        (lambda f: utils.load_img(f / "L.png", target_size=(2, 2), interpolation="area"), "interpolation: got 'area'"),
        (lambda f: utils.load_img(3), "path: got a int"),
        (lambda f: utils.img_to_array(np.zeros(3)), r"img_to_array: img: expected shape .* got \(3,\)"),
        (lambda f: utils.array_to_img(np.zeros((2, 2))), r"array_to_img: x: expected one image .* \(2, 2\)"),
        (lambda f: utils.array_to_img(np.zeros((3, 4, 2))), "3 or 4 channels"),
        (lambda f: utils.array_to_img(np.zeros((3, 4, 1)), "last"), "array_to_img: data_format: got 'last'"),
        (lambda f: smart_resize(np.zeros((2, 2)), (2, 2)), r"smart_resize: expected an image .*got shape \(2, 2\)"),
    ],
)
def test_mistakes(mistake, message, folder):
    with pytest.raises((ValueError, TypeError), match=message):
        mistake(folder)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_array_to_img_and_save_img(channels, scale, data_format, tmp_path):
    x = RNG.uniform(0, 255, (5, 4, channels))
    x = x if data_format == "channels_last" else x.transpose(2, 0, 1)
    got, expected = (api.array_to_img(x, data_format, scale) for api in (utils, keras.utils))
    assert got.mode == expected.mode
    np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(utils.array_to_img(0 * x, data_format), keras.utils.array_to_img(0 * x, data_format))
    for name, options in (("a.png", {}), ("b.bmp", {"file_format": "PNG"}), ("c.jpg", {"quality": 50})):
        for api, path in (utils, tmp_path / f"ours_{name}"), (keras.utils, tmp_path / f"theirs_{name}"):
            if channels == 4 and name == "c.jpg":
                with pytest.warns(UserWarning, match="JPEG"):
                    api.save_img(path, x, data_format, scale=scale, **options)
            else:
                api.save_img(path, x, data_format, scale=scale, **options)
        assert (tmp_path / f"ours_{name}").read_bytes() == (tmp_path / f"theirs_{name}").read_bytes()


def test_values_beyond_a_byte_are_kept_in_grey():
    x = np.array([[[300.0], [2.0]]])
    np.testing.assert_array_equal(utils.array_to_img(x, scale=False), keras.utils.array_to_img(x, scale=False))


@pytest.mark.parametrize("shape", [(6, 9, 3), (2, 9, 6, 1)])
@pytest.mark.parametrize("size", [(3, 3), (2, 5), (12, 4)])
def test_smart_resize(shape, size):
    x = RNG.uniform(size=shape).astype("float32")
    got = smart_resize(x, size)
    assert type(got) is np.ndarray
    np.testing.assert_allclose(got, their_smart_resize(x, size), atol=1e-6)
    moved = np.moveaxis(x, -1, -3)
    got = smart_resize(ops.convert_to_tensor(moved), size, "nearest", "channels_first")
    np.testing.assert_array_equal(got, their_smart_resize(moved, size, "nearest", "channels_first"))
