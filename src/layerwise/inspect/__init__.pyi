# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from .tracing import LayerTrace as LayerTrace
from .tracing import ParameterTrace as ParameterTrace
from .tracing import Trace as Trace
from .tracing import trace as trace
