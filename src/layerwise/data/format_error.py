"""What is said about files that cannot be read."""

import contextlib
from collections.abc import Iterator

from ..terminal import printable


class FileFormatError(ValueError):
    """A file is not what its name says, is damaged, or does not fit the model: file, member, reason.

    What the file itself says stands in the message as far as a terminal can show it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, 2000))


@contextlib.contextmanager
def decoding(what: str, *errors: type[Exception]) -> Iterator[None]:
    """Such errors inside the `with` block say that a file is damaged: "{what} ({error})".

    An OSError that names a file is left alone: that it cannot be opened is no matter of its content.
    """
    try:
        yield
    except FileFormatError:
        raise
    except errors as error:
        if isinstance(error, OSError) and error.filename is not None:
            raise
        raise FileFormatError(f"{what} ({error})") from error
