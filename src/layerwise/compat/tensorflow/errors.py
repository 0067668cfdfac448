"""`tf.errors`: Python's exceptions, which Layerwise raises for these reasons."""

from ...lazy import public_only

__all__ = [
    "AbortedError", "AlreadyExistsError", "CancelledError", "DataLossError", "DeadlineExceededError",
    "FailedPreconditionError", "InternalError", "InvalidArgumentError", "NotFoundError", "OpError", "OutOfRangeError",
    "PermissionDeniedError", "ResourceExhaustedError", "UnavailableError", "UnimplementedError", "UnknownError",
]  # fmt: skip
public_only(__name__)

OpError = Exception
InvalidArgumentError = DataLossError = ValueError
NotFoundError, AlreadyExistsError, PermissionDeniedError = FileNotFoundError, FileExistsError, PermissionError
OutOfRangeError, ResourceExhaustedError, DeadlineExceededError = StopIteration, MemoryError, TimeoutError
UnimplementedError = NotImplementedError
AbortedError = CancelledError = FailedPreconditionError = InternalError = UnavailableError = UnknownError = RuntimeError
