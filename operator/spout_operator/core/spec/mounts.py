"""Where Secrets are mounted."""

import posixpath


def normal_path(path: str) -> str:
    """An absolute path without doubled and trailing slashes, `.` and `..`: two paths to one place have one form."""
    # POSIX leaves the meaning of two leading slashes open, so normpath keeps them.
    return "/" + posixpath.normpath(path).lstrip("/")
