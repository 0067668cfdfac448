# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from . import download as download
from . import images as images
from . import records as records
from .cifar import read_cifar10 as read_cifar10
from .csv_dataset import make_csv_dataset as make_csv_dataset
from .dataset.dataset import Dataset as Dataset
from .dataset.pipeline import DatasetIterator as DatasetIterator
from .dataset.transforming import AUTOTUNE as AUTOTUNE
from .idx import read_idx as read_idx
from .idx import read_mnist_folder as read_mnist_folder
from .image_folder import ImageFolder as ImageFolder
from .image_folder import read_image_folder as read_image_folder
from .indexed import PyDataset as PyDataset
from .loading import TrainingData as TrainingData
from .loading import load as load
from .npz import read_npz as read_npz
from .records import RecordWriter as RecordWriter
from .records import read_records as read_records
from .split import permutation as permutation
from .split import stratified_split as stratified_split
from .table import Table as Table
from .table import read_csv as read_csv
