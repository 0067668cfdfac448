"""Images: read, resized, and drawings brought into the form of a data set."""

import sys

import numpy as np
import pytest
from PIL import Image

from layerwise.data import read_image_folder
from layerwise.data.format_error import FileFormatError
from layerwise.data.images import drawing_style, fit_image, prepare_digit, read_image, resize_images
from layerwise.data.strokes import stroke_width
from layerwise.datasets import digits

rng = np.random.default_rng(0)


@pytest.mark.parametrize("size", [(28, 28), (16, 5), (3, 4), (1, 1), (8, 8)])
def test_resizing_agrees_with_keras(size):
    import keras

    images = rng.random((3, 8, 8, 2)).astype(np.float32)
    expected = keras.ops.image.resize(images, size, "bilinear", antialias=True, data_format="channels_last")
    np.testing.assert_allclose(resize_images(images, size), expected, atol=1e-6)


def test_resizing_keeps_types_and_constants():
    for dtype in (np.uint8, np.int16, np.float16, np.float32, np.float64):
        out = resize_images(np.full((2, 5, 6, 3), 7, dtype), (9, 4))
        assert out.dtype == dtype
        np.testing.assert_allclose(out, 7, rtol=1e-3)
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(resize_images(ramp, (16, 16)), ramp)


@pytest.mark.parametrize(("shape", "size"), [((8, 8), (4, 4)), ((1, 0, 8, 1), (4, 4)), ((1, 8, 8, 1), (0, 4))])
def test_resizing_something_else(shape, size):
    with pytest.raises(ValueError, match="resize_images: expected images"):
        resize_images(np.zeros(shape), size)


def seven(side=300, thickness=20, offset=(30, 60)):
    """A 7, ink 1 on paper 0."""
    page = np.zeros((side, side))
    top, left = offset
    page[top : top + thickness, left : left + 90] = 1
    for i in range(150):
        x = left + 90 - i // 2
        page[top + i, x - thickness : x] = 1
    return page


DRAWINGS = {
    "light on dark": lambda ink: np.rint(255 * ink).astype(np.uint8),
    "black on white": lambda ink: np.rint(255 * (1 - ink)).astype(np.uint8),
    "grey on grey": lambda ink: np.rint(180 - 90 * ink).astype(np.uint8)[..., None],
    "floats": lambda ink: (1 - ink).astype(np.float64),
    "blue on white": lambda ink: np.stack([255 - 255 * ink, 255 - 255 * ink, 255 - 100 * ink], -1).astype(np.uint8),
    "noisy scan": lambda ink: np.clip(240 - 200 * ink + rng.normal(0, 5, ink.shape), 0, 255).astype(np.uint8),
    "black on transparent": lambda ink: np.stack([0 * ink] * 3 + [255 * ink], -1).astype(np.uint8),
    "white on transparent": lambda ink: np.stack([0 * ink + 255] * 3 + [255 * ink], -1).astype(np.uint8),
    "opaque RGBA": lambda ink: np.stack([255 - 255 * ink] * 3 + [0 * ink + 255], -1).astype(np.uint8),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_kind_of_drawing_becomes_the_same_digit(name):
    expected = prepare_digit(DRAWINGS["light on dark"](seven()), (28, 28, 1))
    got = prepare_digit(DRAWINGS[name](seven()), (28, 28, 1))
    assert got.shape == (28, 28, 1)
    assert got.dtype == np.uint8
    assert got.max() == 255
    np.testing.assert_allclose(got, expected.astype(float), atol=25 if name == "noisy scan" else 8)


def test_the_digit_fills_20_of_28_pixels_and_is_centred_by_mass():
    digit = prepare_digit(DRAWINGS["black on white"](seven()), (28, 28, 1))[..., 0].astype(float)
    rows, columns = np.flatnonzero(digit.any(1)), np.flatnonzero(digit.any(0))
    assert rows[-1] - rows[0] + 1 == 20
    assert columns[-1] - columns[0] + 1 == round(20 * 94 / 150)
    mass = [np.average(np.arange(28), weights=digit.sum(axis)) for axis in (1, 0)]
    np.testing.assert_allclose(mass, 14, atol=0.51)


def test_neither_place_nor_size_on_the_page_matters():
    a = prepare_digit(DRAWINGS["black on white"](seven()), (28, 28, 1))
    b = prepare_digit(DRAWINGS["black on white"](seven(offset=(140, 180))), (28, 28, 1))
    np.testing.assert_array_equal(a, b)
    large = np.kron(seven(), np.ones((2, 2)))
    c = prepare_digit(DRAWINGS["black on white"](large), (28, 28, 1))
    np.testing.assert_allclose(c, a.astype(float), atol=30)


def test_a_full_box_stays_inside_and_dark_ink_can_be_asked_for():
    digit = prepare_digit(DRAWINGS["black on white"](seven()), (8, 8, 1), fill=1.0)
    assert digit[0].any()
    assert digit[-1].any()
    inverse = prepare_digit(DRAWINGS["black on white"](seven()), (8, 8, 1), fill=1.0, light_on_dark=False)
    np.testing.assert_array_equal(inverse, 255 - digit)


def test_real_mnist_digits_come_back_almost_unchanged(test_data):
    from layerwise.data import read_idx

    images = read_idx(test_data / "mnist" / "t10k-images-idx3-ubyte.gz")[:200]
    style = drawing_style(images)
    assert style["light_on_dark"]
    assert abs(style["fill"] - 20 / 28) < 0.04
    for inverted in (False, True):
        again = np.stack([prepare_digit(255 - i if inverted else i, (28, 28, 1))[..., 0] for i in images])
        correlations = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(images, again)]
        assert np.median(correlations) > 0.999


def test_the_style_of_the_embedded_digits():
    (x_train, _), _ = digits.load_data()
    style = drawing_style(x_train)
    assert style == {"fill": 1.0, "light_on_dark": True, "centre": [0.496, 0.506], "stroke": 0.185}
    assert drawing_style(255 - x_train[:50, ..., None])["light_on_dark"] is False
    assert drawing_style(np.zeros((2, 5, 5), np.uint8)) == {"fill": 20 / 28, "light_on_dark": True}


@pytest.mark.parametrize(("image", "shape", "message"), [
    (np.full((9, 9), 200, np.uint8), (28, 28, 1), "no ink"),
    (np.zeros((9, 9, 4), np.uint8), (28, 28, 1), "no ink"),
    (np.zeros((9, 9), np.uint8), (28, 28, 3), r"expected a shape \(height, width, 1\)"),
    (np.zeros((9, 9, 2), np.uint8), (28, 28, 1), r"got \(9, 9, 2\)"),
    (np.zeros((0, 9), np.uint8), (28, 28, 1), r"got \(0, 9\)"),
    (np.full((9, 9), 200.0), (28, 28, 1), r"floats in 0..1, got float64 in 200.0..200.0"),
    (np.full((9, 9), np.nan), (28, 28, 1), "floats in 0..1"),
    (np.full((9, 9), 3), (28, 28, 1), "got int64"),
])  # fmt: skip
def test_what_is_no_drawing(image, shape, message):
    with pytest.raises(ValueError, match=message):
        prepare_digit(image, shape)


@pytest.mark.parametrize("width", [4, 10, 24, 40])
def test_strokes_get_the_width_of_the_data(width):
    """A drawn L in MNIST's frame, whatever the pen."""
    page = np.zeros((260, 200), np.uint8)
    page[30:230, 50 : 50 + width] = page[230 - width : 230, 50:150] = 255
    plain = prepare_digit(page, (28, 28, 1))
    found = prepare_digit(page, (28, 28, 1), stroke=2.4 / 28)
    assert stroke_width(found[None, ..., 0] / 255) == pytest.approx(2.4, abs=0.25)
    assert np.ptp(np.flatnonzero(found.any((1, 2)))) == 19
    if width == 40:
        assert stroke_width(plain[None, ..., 0] / 255) > 3.5


def test_a_drawing_is_centred_where_the_data_is():
    page = np.zeros((60, 60), np.uint8)
    page[10:30, 40:44] = 255
    digit = prepare_digit(page, (20, 20, 1), fill=0.5, centre=(0.4, 0.6))
    assert np.argwhere(digit[..., 0]).mean(0).tolist() == [7.5, 11.5]


def test_fit_image_changes_channels_and_size_only():
    colour = np.zeros((4, 4, 3), np.uint8)
    colour[..., 0] = 255
    assert fit_image(colour, (2, 2, 1)).ravel().tolist() == [76] * 4
    assert fit_image(colour, (2, 2, 3))[0, 0].tolist() == [255, 0, 0]
    assert fit_image(colour[..., 1], (2, 3, 3)).shape == (2, 3, 3)
    with pytest.raises(ValueError, match="1 or 3 channels"):
        fit_image(colour, (2, 2, 2))


PICTURE = rng.integers(0, 256, (6, 5, 4), np.uint8)


@pytest.mark.parametrize(("mode", "ending", "channels"), [
    ("1", "png", 1), ("L", "png", 1), ("LA", "png", 4), ("P", "png", 3), ("RGB", "png", 3), ("RGBA", "png", 4),
    ("L", "jpg", 1), ("CMYK", "jpg", 3), ("RGB", "bmp", 3), ("P", "gif", 3),
])  # fmt: skip
def test_every_mode_of_image_files(tmp_path, mode, ending, channels):
    path = tmp_path / f"a.{ending}"
    image = Image.fromarray(PICTURE if mode.endswith("A") else PICTURE[..., :3]).convert(mode)
    image.save(path)
    got = read_image(path)
    assert got.shape == (6, 5, channels)
    assert got.dtype == np.uint8
    if mode in ("L", "RGB", "RGBA") and ending != "jpg":
        np.testing.assert_array_equal(got.reshape(6, 5, -1), np.asarray(image).reshape(6, 5, -1))


def test_sixteen_bits_and_exif(tmp_path):
    Image.fromarray(np.array([[0, 257 * 100, 65535]], np.uint16)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").ravel().tolist() == [0, 100, 255]
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.fromarray(PICTURE[..., :3]).save(tmp_path / "b.jpg", exif=exif)
    assert read_image(tmp_path / "b.jpg").shape == (5, 6, 3)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_corrupt_images_are_named(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(path)
    good = path.read_bytes()
    for bad in (b"", b"not an image", good[:200], good[:1000]):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match=r"a\.png: not an image that can be read"):
            read_image(path)
    path.write_bytes(good)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1599)
    with pytest.raises(ValueError, match=r"40 x 40 pixels, more than 1599"):
        read_image(path)
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "b.png")


def test_flipped_bytes_raise_nothing_but_value_error(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(PICTURE[..., :3]).save(path)
    good = np.frombuffer(path.read_bytes(), np.uint8)
    for i in range(len(good)):
        bad = good.copy()
        bad[i] ^= 1 << i % 8
        path.write_bytes(bad.tobytes())
        try:
            result = read_image(path)
        except ValueError as error:
            result = str(error)
        assert isinstance(result, np.ndarray) or str(path) in result


def test_without_pillow_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"pip install 'layerwise\[images\]'"):
        read_image(tmp_path / "a.png")


def save(folder, name, array):
    folder.mkdir(exist_ok=True, parents=True)
    Image.fromarray(array).save(folder / name)


def test_image_folder(tmp_path):
    grey = rng.integers(0, 256, (3, 6, 5), np.uint8)
    save(tmp_path / "dog", "1.png", grey[0])
    save(tmp_path / "cat", "2.PNG", grey[1])
    save(tmp_path / "cat", "1.png", grey[2])
    save(tmp_path / ".hidden", "1.png", grey[0])
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    data = read_image_folder(tmp_path)
    assert data.class_names == ("cat", "dog")
    assert data.labels.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(data.images[..., 0], grey[[2, 1, 0]])
    assert [p.name for p in data.paths] == ["1.png", "2.PNG", "1.png"]
    assert read_image_folder(tmp_path, size=(4, 4)).images.shape == (3, 4, 4, 1)

    save(tmp_path / "dog", "3.png", rng.integers(0, 256, (9, 9, 3), np.uint8))
    assert read_image_folder(tmp_path).images.shape == (4, 6, 5, 3)  # colour, at the size of most
    assert read_image_folder(tmp_path, channels=1).images.shape == (4, 6, 5, 1)
    with pytest.raises(ValueError, match=r"4 images of \(100000, 100000, 3\) need 114440 MiB"):
        read_image_folder(tmp_path, size=(100_000, 100_000))
    (tmp_path / "dog" / "broken.jpg").write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"dog/broken\.jpg: not an image that can be read"):
        read_image_folder(tmp_path)


def test_folder_without_images(tmp_path):
    (tmp_path / "class").mkdir()
    with pytest.raises(ValueError, match="no images there: expected one sub-folder a class"):
        read_image_folder(tmp_path)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_the_size_of_a_folder_is_that_of_upright_images(tmp_path, ending):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    (tmp_path / "cat").mkdir()
    Image.new("L", (12, 6), 9).save(tmp_path / "cat" / f"1.{ending}", exif=exif)
    assert read_image(tmp_path / "cat" / f"1.{ending}").shape[:2] == (12, 6)
    assert read_image_folder(tmp_path).images.shape[1:3] == (12, 6)


def test_fractions_in_tiff(tmp_path):
    path = tmp_path / "f.tif"
    for pixels, expected in (([[0.0, 0.5, 1.0]], [0, 128, 255]), ([[0.0, 2.4, 255.0]], [0, 2, 255])):
        Image.fromarray(np.float32(pixels)).save(path)
        assert read_image(path).ravel().tolist() == expected
    for pixels in ([[-0.5, 1.0]], [[0.0, 300.0]], [[0.0, np.nan]]):
        Image.fromarray(np.float32(pixels)).save(path)
        with pytest.raises(FileFormatError, match=r"f\.tif.*expected 0\.\.1 or 0\.\.255"):
            read_image(path)
