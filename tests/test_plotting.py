"""Pictures of models: everything is on them, nothing lies over anything else, and files are what they say."""

import functools
import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from layerwise import Input, Model, Sequential, layers, ops, utils
from layerwise.utils.drawing.contents import Options, diagram_of
from layerwise.utils.drawing.layout import picture_of

DIRECTIONS = ("TB", "BT", "LR", "RL")


def chain():
    return Sequential([Input((4,)), layers.Dense(3, "relu", name="first"), layers.Dense(2, name="last")], name="chain")


def residual(blocks=3):
    inputs = x = Input((8, 8, 4))
    for i in range(blocks):
        y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(x))
        y = layers.Conv2D(4 + i, 1)(layers.ReLU()(y))
        x = layers.Add()([y, x if i == 0 else layers.Conv2D(4 + i, 1)(x)])
    return Model(inputs, x)


def branching():
    """Shared and nested layers, operations, a layer that takes what it gave, several inputs and outputs."""
    a, b = Input((8,), name="a"), Input((8,), name="b")
    inner = Sequential([Input((8,)), layers.Dense(8), layers.Dense(4, name="narrow")], name="encoder")
    c, d = Input((4,)), Input((4,))
    two = Model([c, d], [c * d, layers.Dense(4)(layers.Concatenate()([c, inner(layers.Dense(8)(d))]))], name="two")
    shared = layers.Dense(8, "tanh", name="shared")
    p, q = two([inner(a), inner(b)])
    z = shared(layers.ReLU()(shared(layers.Concatenate()([p, q]))))
    z = shared(shared(z)) + ops.abs(b)
    return Model([a, b], [layers.Dense(1, name="score")(z), layers.Concatenate()([z, a, p])], name="branching")


def dense_block():
    x = [Input((4,))]
    for _ in range(5):
        x.append(layers.Dense(4)(layers.Concatenate()(x) if len(x) > 1 else x[0]))
    return Model(x[0], x[-1])


class Subclass(Model):
    def __init__(self):
        super().__init__(name="mine")
        self.layer = layers.Dense(2)

    def call(self, x):
        return self.layer(x)


MODELS = {"chain": chain, "residual": residual, "branching": branching, "dense block": dense_block}


@functools.cache
def model_of(name):
    return MODELS[name]()


def overlap(a, b):
    (ax, ay, aw, ah), (bx, by, bw, bh) = a[:4], b[:4]
    return min(ax + aw, bx + bw) - max(ax, bx) > 0.1 and min(ay + ah, by + bh) - max(ay, by) > 0.1


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("rankdir", DIRECTIONS)
@pytest.mark.parametrize("expand_nested", [True, False])
def test_nothing_lies_over_anything_else(name, rankdir, expand_nested):
    options = Options(show_shapes=True, show_layer_names=True, expand_nested=expand_nested)
    picture = picture_of(diagram_of(model_of(name), options), rankdir)
    boxes = picture.boxes
    for i, box in enumerate(boxes):
        assert 0 <= box[0] <= box[0] + box[2] <= picture.width
        assert 0 <= box[1] <= box[1] + box[3] <= picture.height
        assert not any(overlap(box, other) for other in boxes[:i])
        for x, y, w, h, _ in picture.frames:  # inside or outside
            assert not overlap(box, (x, y, w, h)) or (x < box[0] and box[0] + box[2] < x + w and y < box[1])
    for line in picture.lines:
        for (ax, ay), (bx, by) in zip(line.points, line.points[1:]):
            assert ax == bx or ay == by, "lines run along the axes"
            segment = min(ax, bx), min(ay, by), abs(ax - bx) + 0.2, abs(ay - by) + 0.2
            assert not any(overlap(segment, (x + 1, y + 1, w - 2, h - 2)) for x, y, w, h, _ in boxes)


def texts(svg):
    return [element.text for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def arrows(svg):
    return svg.count("<polygon")


def test_what_is_said():
    def said(**options):
        return texts(utils.model_to_dot(chain(), show_layer_names=False, **options).create(format="svg"))

    assert said() == ["Dense", "Dense"]
    assert texts(utils.model_to_dot(chain()).create(format="svg")) == ["first", " (Dense)", "last", " (Dense)"]
    assert said(show_shapes=True)[:5] == ["Dense", "(None, 4)", "Input shape: ", "(None, 3)", "Output shape: "]
    assert said(show_dtype=True)[1:3] == ["float32", "Output dtype: "]
    assert said(show_layer_activations=True)[1:3] == ["relu", "Activation: "]
    assert said(show_trainable=True)[1] == "Trainable"
    frozen = chain()
    frozen.layers[0].trainable = False
    svg = utils.model_to_dot(frozen, show_trainable=True).create(format="svg").decode()
    assert all(part in svg for part in ("Non-trainable", "#b22222", "#228b22"))


def test_layers_operations_and_nested_models_are_there_once():
    names = texts(utils.model_to_dot(model_of("branching"), expand_nested=True).create(format="svg"))
    assert [names.count(name) for name in ("encoder", "two", "narrow", "shared", "add", "absolute")] == [
        2,
        1,
        2,
        1,
        1,
        1,
    ]
    names = texts(utils.model_to_dot(model_of("branching")).create(format="svg"))
    assert ("encoder" in names, "narrow" in names) == (True, False)


def test_every_line_has_its_arrow():
    assert arrows(utils.model_to_dot(chain()).create(format="svg").decode()) == 1
    a = Input((2,))
    shared = layers.Dense(2)
    model = Model(a, shared(layers.ReLU()(shared(a))))  # there and back between two boxes
    assert arrows(utils.model_to_dot(model).create(format="svg").decode()) == 3
    model = Model(a, shared(shared(a)))  # one box that takes what it gave
    assert arrows(utils.model_to_dot(model).create(format="svg").decode()) == 2


def test_a_model_that_is_no_graph_is_a_box(tmp_path):
    model = Subclass()
    with pytest.raises(ValueError, match="plot_model: 'mine' is not built: call it on a batch"):
        utils.plot_model(model, tmp_path / "a.png")
    model(np.ones((1, 3)))
    assert texts(utils.model_to_dot(model).create(format="svg")) == ["mine", " (Subclass)"]


@pytest.mark.parametrize("splines", ["ortho", "curved", "line"])
def test_files(splines, tmp_path):
    model = model_of("branching")
    for name, form in (("a.png", "PNG"), ("b.jpg", "JPEG"), ("c.bmp", "BMP"), ("d", "PNG")):
        utils.plot_model(model, tmp_path / name, show_shapes=True, expand_nested=True, dpi=40, splines=splines)
        with Image.open(tmp_path / name) as image:
            assert image.format == form
            assert len(image.convert("L").histogram()) == 256
    utils.plot_model(model, str(tmp_path / "e.svg"), expand_nested=True, splines=splines)
    ET.parse(tmp_path / "e.svg")
    utils.plot_model(model, tmp_path / "f.pdf", dpi=40, splines=splines)
    assert (tmp_path / "f.pdf").read_bytes()[:5] == b"%PDF-"
    utils.plot_model(model, tmp_path / "g.dot", splines=splines)
    assert (tmp_path / "g.dot").read_text().startswith("digraph G {")


def test_resolution_and_its_limit():
    small, large = (
        Image.open(io.BytesIO(utils.model_to_dot(chain(), dpi=dpi).create(format="png"))).size for dpi in (72, 144)
    )
    assert [round(n / m, 1) for n, m in zip(large, small)] == [2, 2]
    picture = Image.open(io.BytesIO(utils.model_to_dot(chain(), dpi=100_000).create(format="png")))
    assert picture.width * picture.height <= 65 << 20


def test_dot():
    text = utils.model_to_dot(model_of("branching"), show_shapes=True, expand_nested=True).to_string()
    nodes = re.findall(r"^ *(n\w+) \[", text, re.M)
    assert len(nodes) == len(set(nodes))
    ends = re.findall(r"(n\w+) -> (n\w+);", text)
    assert len(ends) > 15
    assert {end for pair in ends for end in pair} <= set(nodes)
    assert text.count("{") == text.count("}")
    assert utils.model_to_dot(chain(), subgraph=True).to_string().startswith("subgraph cluster_sub {")
    quoted = Sequential([Input((1,)), layers.Dense(1, name='a<b>"&')])
    assert "a&lt;b&gt;&quot;&amp;" in utils.model_to_dot(quoted).to_string()
    assert 'a<b>"&' in texts(utils.model_to_dot(quoted)._repr_svg_())


@pytest.mark.parametrize(
    ("options", "message"),
    [({"rankdir": "UP"}, "rankdir: got 'UP'"), ({"splines": "no"}, "splines: got 'no'"), ({"dpi": 0}, "dpi: got 0")],
)
def test_mistakes(options, message, tmp_path):
    with pytest.raises(ValueError, match=f"plot_model: {message}"):
        utils.plot_model(chain(), tmp_path / "a.png", **options)
    with pytest.raises(ValueError, match="plot_model: format: got 'xyz'"):
        utils.plot_model(chain(), tmp_path / "a.xyz")
