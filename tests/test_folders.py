"""Folders and series as data sets: files and splits as Keras finds them, elements as it makes them."""

import struct
import wave
from copy import copy

import numpy as np
import pytest
from keras.src.utils import dataset_utils as theirs
from PIL import Image

from layerwise import config, layers, models, ops, preprocessing, utils
from layerwise.data import images
from layerwise.data.wav import read_wav, resample
from layerwise.saving import FileFormatError

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Two classes, one with a folder in it, of pictures of several sizes and modes; and what is passed over."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, size, mode in (
        ("cat/a.png", (6, 9), "RGB"), ("cat/b.JPG", (9, 6), "RGB"), ("cat/more/c.bmp", (5, 5), "L"),
        ("dog/a.gif", (4, 8), "P"), ("dog/b.png", (7, 3), "RGBA"), ("dog/c.png", (7, 3), "I;16"),
        (".hidden/a.png", (3, 3), "L"), ("cat/note.txt", None, None),
    ):  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if size is None:
            path.write_text("no picture")
            continue
        pixels = Image.fromarray(RNG.integers(0, 256, (*size[::-1], 3), np.uint8))
        (pixels.convert("I").convert(mode) if "I" in mode else pixels.convert(mode)).save(path)
    return folder


def images_of(folder, **options):
    options = {"verbose": False, "image_size": (4, 4), **options}
    return utils.image_dataset_from_directory(folder, **options)


def collected(data):
    batches = list(data)
    return tuple(np.concatenate(part) for part in zip(*batches, strict=True))


@pytest.mark.parametrize("labels", ["inferred", None, [3, 1, 1, 2, 3, 3]])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("subset", [None, "training", "validation"])
def test_files_labels_and_splits_are_keras(pictures, labels, shuffle, subset):
    split = subset and 0.4
    folder = pictures / "cat" if labels is None else pictures
    labels = labels if not isinstance(labels, list) else [*labels, 2]  # a folder whose name begins with a dot counts
    formats = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
    paths, found, names = theirs.index_directory(str(folder), copy(labels), formats, None, shuffle, 5, verbose=False)
    paths, found = theirs.get_training_or_validation_split(paths, found, split, subset)
    data = images_of(folder, labels=labels, shuffle=shuffle, seed=5, validation_split=split, subset=subset)
    assert [str(path).replace("/./", "/") for path in data.file_paths] == [str(path) for path in paths]
    assert data.class_names == names
    if found is not None:
        _, got = collected(images_of(folder, labels=labels, shuffle=False, seed=5) if subset is None else data)
        assert got.dtype == np.int32
        expected = theirs.index_directory(str(folder), copy(labels), formats, None, False, 5, verbose=False)[1]
        assert sorted(got) == sorted(expected if subset is None else found)


def test_both_parts_share_no_file_and_only_training_is_shuffled(pictures):
    training, validation = images_of(pictures, validation_split=0.4, subset="both", seed=1, batch_size=1)
    assert sorted(training.file_paths + validation.file_paths) == sorted(images_of(pictures, seed=1).file_paths)
    assert (len(training), len(validation)) == (4, 2)
    assert len({tuple(map(float, (x.mean() for x, _ in training))) for _ in range(9)}) > 1
    assert len({tuple(map(float, (x.mean() for x, _ in validation))) for _ in range(9)}) == 1


def test_labels_in_every_form(pictures):
    _, y = collected(images_of(pictures, shuffle=False))
    assert (y.tolist(), y.dtype) == ([0, 0, 0, 1, 1, 1], np.int32)
    _, y = collected(images_of(pictures, shuffle=False, label_mode="binary", class_names=["dog", "cat"]))
    assert (y.tolist(), y.dtype) == ([[0], [0], [0], [1], [1], [1]], np.float32)
    _, y = collected(images_of(pictures, shuffle=False, label_mode="categorical"))
    assert (y.tolist()[2:4], y.dtype) == ([[1, 0], [0, 1]], np.float32)
    (batch,) = images_of(pictures / "cat", label_mode=None)
    assert batch.shape == (3, 4, 4, 3)
    (x, y), *_ = images_of(pictures, batch_size=None)
    assert (x.shape, y.shape) == ((4, 4, 3), ())


@pytest.mark.parametrize("color_mode", ["grayscale", "rgb", "rgba"])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic", "lanczos3", "lanczos5"])
def test_pictures_are_resized_as_the_operation_does(pictures, color_mode, interpolation):
    for shape in {}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True}:
        options = {"color_mode": color_mode, "interpolation": interpolation, "image_size": (5, 3), **shape}
        data = images_of(pictures, shuffle=False, labels=None, batch_size=None, **options)
        for path, got in zip(data.file_paths, data, strict=True):
            pixels = images.read_image(path, channels={"grayscale": 1, "rgb": 3, "rgba": 4}[color_mode])
            assert got.dtype == np.float32
            with config.override(backend="numpy"):
                expected = ops.image.resize(pixels.astype("float32"), (5, 3), interpolation, **shape)
            np.testing.assert_allclose(got, expected, atol=2e-3)
    (first, *_) = images_of(pictures, labels=None, batch_size=None, data_format="channels_first")
    assert first.shape == (3, 4, 4)


def test_a_model_learns_from_a_folder(pictures, capsys):
    data = preprocessing.image_dataset_from_directory(pictures, image_size=4, batch_size=2, label_mode="binary", seed=0)
    assert capsys.readouterr().out == "Found 6 files belonging to 2 classes.\n"
    model = models.Sequential([layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy")
    model.fit(data, epochs=2, verbose=0)
    again = data.map(lambda x, y: (layers.Rescaling(1 / 255)(x), y), num_parallel_calls=2)
    assert model.predict(again, verbose=0).shape == (6, 1)


def test_a_data_set_goes_on_where_it_was_left(pictures):
    data = images_of(pictures, batch_size=2, seed=4)
    loop = iter(data)
    next(loop)
    state = data.state()
    rest = [x.tolist() for x, _ in loop]
    fresh = images_of(pictures, batch_size=2, seed=4)
    fresh.restore(state)
    assert [x.tolist() for x, _ in fresh] == rest


def test_texts(tmp_path):
    for name, content in (("neg/1.txt", "bad"), ("pos/1.txt", "gut, süß"), ("pos/2.txt", ""), ("pos/x.md", "no")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "pos" / "3.txt").write_bytes(b"caf\xe9")
    data = utils.text_dataset_from_directory(tmp_path, shuffle=False, verbose=False)
    texts, labels = collected(data)
    assert texts.tolist() == ["bad", "gut, süß", "", "caf�"]
    assert labels.tolist() == [0, 1, 1, 1]
    assert data.class_names == ["neg", "pos"]
    texts, _ = collected(utils.text_dataset_from_directory(tmp_path, max_length=3, shuffle=False, verbose=False))
    assert texts.tolist() == ["bad", "gut", "", "caf"]


# Sounds


def write_wav(path, samples, rate=8000, width=2):
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.shape[1], width, rate, len(samples), "NONE", ""))
        scaled = np.round(samples * (2.0 ** (8 * width - 1) - 1)).astype("<i8")
        raw = (scaled + 128).astype("u1") if width == 1 else scaled
        file.writeframes(b"".join(int(v).to_bytes(8, "little", signed=True)[:width] for v in raw.ravel()))
    return path


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_wav_of_every_width(width, tmp_path):
    samples = RNG.uniform(-1, 1, (50, 2))
    got, rate = read_wav(write_wav(tmp_path / "a.wav", samples, width=width))
    assert (got.dtype, rate) == (np.float32, 8000)
    np.testing.assert_allclose(got, samples, atol=1.5 * 2.0 ** (1 - 8 * width) + 1e-6)


@pytest.mark.parametrize("code", ["<f4", "<f8"])
def test_wav_of_fractions_and_other_chunks(code, tmp_path):
    samples = RNG.uniform(-1, 1, (9, 1)).astype(code)
    size = samples.itemsize
    form = struct.pack("<HHIIHH", 0xFFFE, 1, 44100, 44100 * size, size, 8 * size) + struct.pack("<HHIH", 22, 0, 0, 3)
    chunks = [(b"fmt ", form + bytes(14)), (b"LIST", b"odd"), (b"data", samples.tobytes())]
    body = b"".join(name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in chunks)
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    got, rate = read_wav(tmp_path / "a.wav")
    np.testing.assert_allclose(got, samples, atol=1e-7)
    assert rate == 44100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: b"", "not a WAV file: it begins with nothing"),
        (lambda d: b"RIFX" + d[4:], "not a WAV file"),
        (lambda d: d[:-1], r"cut short: the chunk b'data' at offset 36 has 20 bytes, but 19 follow"),
        (lambda d: d[:40] + b"\xff\xff\xff\xff" + d[44:], "cut short"),
        (lambda d: d[:20] + b"\x02\x00" + d[22:], "offset 12: format 2 of 16 bits"),
        (lambda d: d[:22] + b"\x00\x00" + d[24:], "0 channels"),
        (lambda d: d[:16] + b"\x08\x00\x00\x00" + d[20:28], "takes 8 bytes"),
        (lambda d: d[:36], "no chunk 'data' there"),
        (lambda d: d[:12], "no chunk 'fmt ' there"),
        (lambda d: d[:40] + b"\x03\x00\x00\x00" + d[44:], "3 bytes are no whole number of samples"),
    ],
)
def test_wav_that_is_none(change, message, tmp_path):
    path = write_wav(tmp_path / "a.wav", np.zeros((10, 1)))
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(FileFormatError, match=message):
        read_wav(path)


def test_wav_of_no_numbers(tmp_path):
    form = struct.pack("<HHIIHH", 3, 1, 8000, 32000, 4, 32)
    body = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", 4) + struct.pack("<f", np.nan)
    (tmp_path / "a.wav").write_bytes(b"RIFF" + struct.pack("<I", 40) + b"WAVE" + body)
    with pytest.raises(FileFormatError, match="no finite numbers"):
        read_wav(tmp_path / "a.wav")


@pytest.mark.parametrize(("before", "after"), [(800, 400), (400, 800), (800, 801), (500, 300), (300, 300)])
def test_a_resampled_tone_is_the_same_tone(before, after):
    def tone(rate):
        return np.sin(2 * np.pi * 20 * np.arange(rate) / rate)[:, None]

    np.testing.assert_allclose(resample(tone(before), before, after), tone(after), atol=1e-9)


def test_sounds(tmp_path):
    for name, n in (("no/a.wav", 40), ("no/b.wav", 80), ("yes/a.wav", 60)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_wav(tmp_path / name, np.full((n, 1), 0.5))

    def sounds(**options):
        return utils.audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False, **options)

    ((x, y),) = sounds()
    assert (x.shape, x.dtype, y.tolist()) == ((3, 80, 1), np.float32, [0, 0, 1])
    assert (x[:, 39, 0].round(2).tolist(), x[:, 79, 0].round(2).tolist()) == ([0.5] * 3, [0, 0.5, 0])
    ((x, _),) = sounds(output_sequence_length=50)
    assert (x.shape, x[:, 49, 0].round(2).tolist()) == ((3, 50, 1), [0, 0.5, 0.5])
    ((x, _),) = sounds(sampling_rate=4000)
    assert x.shape == (3, 40, 1)
    parts = utils.audio_dataset_from_directory(tmp_path, validation_split=0.4, subset="both", seed=1, verbose=False)
    assert [len(part.file_paths) for part in parts] == [2, 1]


# Series


SERIES = {
    "plain": {"sequence_length": 4},
    "strides": {"sequence_length": 4, "sequence_stride": 3, "sampling_rate": 2, "batch_size": 3},
    "a part": {"sequence_length": 3, "start_index": 4, "end_index": 15, "batch_size": 2},
    "one by one": {"sequence_length": 5, "batch_size": None},
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("shape", [(20,), (20, 2)])
@pytest.mark.parametrize("targets", [None, 20, 12])
def test_series(name, shape, targets):
    """The definition, written out."""
    options = SERIES[name]
    data = RNG.normal(size=shape)
    y = None if targets is None else np.arange(targets)
    got = utils.timeseries_dataset_from_array(data, y, **options)
    start, end = options.get("start_index", 0), options.get("end_index", 20)
    rate, length = options.get("sampling_rate", 1), options["sequence_length"]
    begins = [
        t for t in range(start, end, options.get("sequence_stride", 1))
        if t + (length - 1) * rate < end and (y is None or t < len(y))
    ]  # fmt: skip
    windows = [data[t : t + (length - 1) * rate + 1 : rate] for t in begins]
    elements = list(got)
    if options.get("batch_size", 128) is not None:
        assert all(len(e if y is None else e[0]) <= options.get("batch_size", 128) for e in elements)
        elements = [e for batch in elements for e in (batch if y is None else zip(*batch, strict=True))]
    np.testing.assert_array_equal([e if y is None else e[0] for e in elements], windows)
    if y is not None:
        assert [int(e[1]) for e in elements] == [int(y[t]) for t in begins]


def test_series_in_another_order():
    data = preprocessing.timeseries_dataset_from_array(np.arange(40), np.arange(40), 3, shuffle=True, seed=1)
    ((x, y),) = data
    assert y.tolist() != sorted(y.tolist()) == list(range(38))
    np.testing.assert_array_equal(x[:, 0], y)
    ((_, again),) = data
    assert again.tolist() != y.tolist()


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda f: images_of(f, label_mode="one"), "label_mode: got 'one'"),
        (lambda f: images_of(f, labels="all"), "labels: got 'all', expected 'inferred', None or a list"),
        (lambda f: images_of(f, labels=[1]), "labels: got 1 of them, found 7 files"),
        (lambda f: images_of(f, labels=[1], class_names=["cat"]), "class_names: they are names of sub-folders"),
        (lambda f: images_of(f, class_names=["cow"]), "has no folder 'cow'"),
        (lambda f: images_of(f, class_names=["cat"], label_mode="binary"), "'binary' needs two classes"),
        (lambda f: images_of(f, color_mode="cmyk"), "color_mode: got 'cmyk'"),
        (lambda f: images_of(f, image_size=(1, 2, 3)), r"image_size: got \(1, 2, 3\)"),
        (lambda f: images_of(f, interpolation="area"), "interpolation: got 'area'"),
        (lambda f: images_of(f, validation_split=0.5), "validation_split and subset: expected both"),
        (lambda f: images_of(f, validation_split=0.5, subset="both"), "seed: a shuffled split needs one"),
        (lambda f: images_of(f, validation_split=2, subset="both"), "validation_split: got 2"),
        (lambda f: images_of(f, validation_split=0.1, subset="validation", seed=1), "no validation files"),
        (lambda f: images_of(f / "cat" / "more"), "no such files: expected files that end in .bmp"),
        (lambda f: images_of(f, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "at most one of them"),
        (lambda f: utils.audio_dataset_from_directory(f, ragged=True), "ragged: got True, expected False"),
        (lambda f: utils.timeseries_dataset_from_array(np.ones(5), None, 2, sampling_rate=5), "sampling_rate: got 5"),
        (lambda f: utils.timeseries_dataset_from_array(np.ones(5), None, 2, start_index=5), "start_index: got 5"),
        (lambda f: utils.timeseries_dataset_from_array(np.ones(5), None, 2, end_index=6), "end_index: got 6"),
    ],
)
def test_mistakes(mistake, message, pictures):
    with pytest.raises(ValueError, match=message):
        mistake(pictures)


def test_a_picture_that_is_none_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.png").write_bytes(b"no picture")
    with pytest.raises(FileFormatError, match=r"b\.png: not an image that can be read"):
        list(images_of(tmp_path))
