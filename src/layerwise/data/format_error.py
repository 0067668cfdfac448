"""What is said about files that cannot be read."""


class FileFormatError(ValueError):
    """A file is not what its name says, is damaged, or does not fit the model: file, member, reason."""
