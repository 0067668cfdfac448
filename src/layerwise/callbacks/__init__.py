"""What happens beside the training: records, displays, early stops, checkpoints, learning rates."""

from ..lazy import lazy

__getattr__, __dir__, __all__ = lazy(
    __name__,
    {
        ".base": "Callback",
        ".list": "CallbackList",
        ".history": "History",
        ".progress": "ProgbarLogger",
        ".backup": "BackupAndRestore",
        ".early_stopping": "EarlyStopping",
        ".checkpoint": "ModelCheckpoint",
        ".reduce_lr": "ReduceLROnPlateau",
        ".scheduler": "LearningRateScheduler",
        ".csv_logger": "CSVLogger",
        ".terminate": "TerminateOnNaN",
        ".lambda_callback": "LambdaCallback",
        ".swap_ema": "SwapEMAWeights",
        ".tensorboard": "TensorBoard",
    },
)
