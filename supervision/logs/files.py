"""Files of logs: whole or not there, closed to others, never written over, packed where their name says so."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, cast

from hub.errors import HubError


class CannotWrite(HubError):
    """A file is there already, or its folder is not."""

    exit_status = 2


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears under its name when it is whole; a name in .gz is packed.

    Raises:
        CannotWrite: it is there already, or cannot be made.
    """
    if path.exists():
        raise CannotWrite(f"{path} is there already and is never written over; name another file.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written ({error.strerror}).") from None
    try:
        with ExitStack() as stack:
            out = stack.enter_context(os.fdopen(number, "wb"))
            if path.suffix == ".gz":  # without a time: the same log is the same file
                packed = gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0)
                yield cast("IO[bytes]", stack.enter_context(packed))
            else:
                yield out
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
