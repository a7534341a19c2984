"""What can go wrong between the pipe and the store."""


class BadArchive(Exception):  # noqa: N818 - named as what was read
    """An archive that is not committed. `offset` is the byte of the archive at which reading stopped."""

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(f"{message} (byte {offset} of the archive)")
        self.offset = offset


class Refused(Exception):  # noqa: N818 - named as what the store did
    """The store cannot hold what an archive has, for example a file below a file. Other archives may go through."""


class StoreFailed(Exception):  # noqa: N818 - named as what happened
    """The store cannot be written to, for example because the disk is full. No archive goes through before it can."""


class PipeLost(Exception):  # noqa: N818 - named as what happened
    """The named pipe is not there any more."""


class Stopped(Exception):  # noqa: N818 - named as what happened
    """The reader was asked to stop."""
