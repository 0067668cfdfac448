# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from . import image as image
from . import sequence as sequence
from . import text as text
from layerwise.data.folder import image_dataset_from_directory as image_dataset_from_directory
from layerwise.data.folder import text_dataset_from_directory as text_dataset_from_directory
from layerwise.data.timeseries import timeseries_dataset_from_array as timeseries_dataset_from_array
