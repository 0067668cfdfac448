"""What happens beside the training: records, displays, early stops, checkpoints, learning rates."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".base": "Callback LambdaCallback",
        ".list": "CallbackList",
        ".history": "CSVLogger History",
        ".progress": "ProgbarLogger",
        ".backup": "BackupAndRestore",
        ".stopping": "EarlyStopping TerminateOnNaN",
        ".checkpoint": "ModelCheckpoint",
        ".learning_rate": "LearningRateScheduler ReduceLROnPlateau",
        ".swap_ema": "SwapEMAWeights",
        ".remote": "RemoteMonitor",
        ".tensorboard": "TensorBoard",
    },
)
