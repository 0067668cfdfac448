# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
__version__: str
from . import activations as activations
from . import applications as applications
from . import autograd as autograd
from . import backend as backend
from . import backends as backends
from . import callbacks as callbacks
from . import config as config
from . import constraints as constraints
from . import data as data
from . import datasets as datasets
from . import distribution as distribution
from . import fundamentals as fundamentals
from . import initializers as initializers
from . import inspect as inspect
from . import layers as layers
from . import losses as losses
from . import metrics as metrics
from . import models as models
from . import ops as ops
from . import optimizers as optimizers
from . import random as random
from . import regularizers as regularizers
from . import saving as saving
from . import tree as tree
from . import utils as utils
from . import variables as variables
from layerwise.autograd import GradientTape as GradientTape
from layerwise.autograd import Tensor as Tensor
from layerwise.autograd import grad as grad
from layerwise.autograd import value_and_grad as value_and_grad
from layerwise.config import DTypePolicy as DTypePolicy
from layerwise.initializers import Initializer as Initializer
from layerwise.layers import Input as Input
from layerwise.layers import InputSpec as InputSpec
from layerwise.layers import Layer as Layer
from layerwise.losses import Loss as Loss
from layerwise.metrics import Metric as Metric
from layerwise.models import Model as Model
from layerwise.models import Sequential as Sequential
from layerwise.optimizers import Optimizer as Optimizer
from layerwise.regularizers import Regularizer as Regularizer
from layerwise.variables import Variable as Variable
