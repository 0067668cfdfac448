# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from .cloning import clone_model as clone_model
from .function import Function as Function
from .model import Functional as Functional
from .model import Model as Model
from .model import model_from_json as model_from_json
from .sequential import Sequential as Sequential
from layerwise.saving import load_model as load_model
from layerwise.saving import save_model as save_model
