"""How `make docs` builds the documentation."""

import inspect
import re
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.addnodes import pending_xref
from sphinx.transforms import SphinxTransform
from sphinx.util.inspect import stringify_signature

from layerwise import __version__, ops
from layerwise.autograd import Primitive

project = "Layerwise"
author = "The Layerwise contributors"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Layerwise {release}"
html_math_renderer = "mathml"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

# The reference, from docstrings: plain text with Google's sections and names in `backticks`.
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
default_role = "code"
add_module_names = False
toc_object_entries_show_parents = "hide"

_BACKTICKS = re.compile(r"(`[^`]+`)")
_MARKUP = re.compile(r"[*|\\]|(?<=\w)_(?!\w)")
_GAP = re.compile(r"(?<=\S) {3,}")


def _as_text(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Formulas may hold `*`, `|` and a final `_`, which are no markup; what is set apart by spaces stays apart."""
    example = False
    for i, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            parts = _BACKTICKS.split(_GAP.sub("\u2003\u2003", line))
            parts[::2] = [_MARKUP.sub(r"\\\g<0>", part) for part in parts[::2]]
            lines[i] = "".join(parts)


def _of_init(
    app: Any, what: str, name: str, obj: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Classes that keep their arguments in `__new__` are shown with those of `__init__`."""
    if what == "class" and obj.__new__ is not object.__new__ and inspect.isfunction(obj.__init__):
        parameters = list(inspect.signature(obj.__init__).parameters.values())[1:]
        signature = stringify_signature(inspect.Signature(parameters), unqualified_typehints=True)
    return signature, returns


class LinkedNames(SphinxTransform):
    """A name of ours in `backticks` on a page leads to its place in the reference."""

    default_priority = 200

    def apply(self, **options: Any) -> None:
        for literal in list(self.document.findall(nodes.literal)):
            name = literal.astext()
            if re.fullmatch(r"layerwise(\.\w+)+", name):
                link = pending_xref("", refdomain="py", reftype="obj", reftarget=name, refwarn=False)
                literal.replace_self(link)
                link.append(literal)


def _mathml(writer: Any, node: nodes.Element) -> None:
    """A formula as MathML, which browsers show without a script or a font from elsewhere."""
    block = isinstance(node, nodes.math_block)
    writer.body.append(f"<p>{tex2mathml(node.astext(), as_block=True)}</p>" if block else tex2mathml(node.astext()))
    raise nodes.SkipNode


def setup(app: Any) -> None:
    app.add_html_math_renderer("mathml", inline_renderers=(_mathml, None), block_renderers=(_mathml, None))
    app.add_transform(LinkedNames)
    for name in ops.__all__:  # primitives are objects; their rules are functions, with the same names and docstrings
        if isinstance(operation := getattr(ops, name), Primitive):
            setattr(ops, name, operation.rule)
    app.connect("autodoc-process-signature", _of_init)
    app.connect("autodoc-process-docstring", _as_text, priority=400)  # before napoleon reads the sections
