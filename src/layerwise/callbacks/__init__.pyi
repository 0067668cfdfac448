# Written by .ci/stubs.py from the table of contents in __init__.py: change that one.
# fmt: off
# ruff: noqa
from .backup import BackupAndRestore as BackupAndRestore
from .base import Callback as Callback
from .base import LambdaCallback as LambdaCallback
from .checkpoint import ModelCheckpoint as ModelCheckpoint
from .history import CSVLogger as CSVLogger
from .history import History as History
from .learning_rate import LearningRateScheduler as LearningRateScheduler
from .learning_rate import ReduceLROnPlateau as ReduceLROnPlateau
from .list import CallbackList as CallbackList
from .progress import ProgbarLogger as ProgbarLogger
from .remote import RemoteMonitor as RemoteMonitor
from .stopping import EarlyStopping as EarlyStopping
from .stopping import TerminateOnNaN as TerminateOnNaN
from .swap_ema import SwapEMAWeights as SwapEMAWeights
from .tensorboard import TensorBoard as TensorBoard
