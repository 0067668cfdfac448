# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from . import imagenet_utils as imagenet_utils
from . import resnet as resnet
from . import resnet50 as resnet50
from . import vgg16 as vgg16
from .resnet import ResNet50 as ResNet50
from .vgg16 import VGG16 as VGG16
