"""Single files that are there whole or not at all."""

import csv
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from response.errors import OutputError


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file; on any failure, an interrupt included, what stood there before stays.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"{path}: could not be written: {error.strerror or error}") from None
    return path


def write_columns(columns: Mapping[str, Sequence[str]], path: Path) -> Path:
    """Write columns of text as a CSV file (see `write_bytes`)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return write_bytes(path, text.getvalue().encode("utf-8"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
