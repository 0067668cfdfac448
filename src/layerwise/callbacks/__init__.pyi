# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from .backup import BackupAndRestore as BackupAndRestore
from .base import Callback as Callback
from .checkpoint import ModelCheckpoint as ModelCheckpoint
from .csv_logger import CSVLogger as CSVLogger
from .early_stopping import EarlyStopping as EarlyStopping
from .history import History as History
from .lambda_callback import LambdaCallback as LambdaCallback
from .list import CallbackList as CallbackList
from .progress import ProgbarLogger as ProgbarLogger
from .reduce_lr import ReduceLROnPlateau as ReduceLROnPlateau
from .scheduler import LearningRateScheduler as LearningRateScheduler
from .swap_ema import SwapEMAWeights as SwapEMAWeights
from .tensorboard import TensorBoard as TensorBoard
from .terminate import TerminateOnNaN as TerminateOnNaN
