# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from . import cifar10 as cifar10
from . import digits as digits
from . import fashion_mnist as fashion_mnist
from . import mnist as mnist
