"""Splits a multipart answer into its parts as the bytes arrive; no part is ever held in memory whole.

Source: RFC 2046, section 5.1 (multipart), RFC 2387 (multipart/related); DICOM PS3.18, section 8.6.1.2.
"""

from collections.abc import Iterable, Iterator
from email.message import Message
from typing import Final

LARGEST_HEAD: Final = 1 << 16  # bytes before the first part, and of the headers of a part

_LINE_END: Final = b"\r\n"


class MultipartError(Exception):
    """An answer that is no multipart message, or that ends before its last part does."""


def media_type(content_type: str) -> str:
    """Return the media type of a Content-Type header in lower case, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type header names.

    Raises
    ------
    MultipartError
        If it names none.
    """
    header = Message()
    header["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    found = header.get_boundary("")
    if not found:
        raise MultipartError("a multipart answer without a boundary")
    return found.encode("latin-1", "replace")


def split_parts(pieces: Iterable[bytes], boundary: bytes) -> Iterator[Iterator[bytes]]:
    """Yield the body of each part, itself as pieces; what was not taken of a part is passed over.

    Parameters
    ----------
    pieces
        The answer as it arrives, cut anywhere.
    boundary
        As the header names it, without dashes.

    Raises
    ------
    MultipartError
        If the answer ends before the closing boundary: the last part is not whole then.
    """
    stream = _Stream(pieces, _LINE_END + b"--" + boundary)
    stream.skip_to_delimiter()
    while not stream.is_closed():
        stream.read_head()
        part = stream.body()
        yield part
        for _ in part:
            pass


class _Stream:
    """The bytes that have arrived and are not yet handed on."""

    def __init__(self, pieces: Iterable[bytes], delimiter: bytes) -> None:
        self.pieces = iter(pieces)
        self.delimiter = delimiter
        self.waiting = bytearray(_LINE_END)  # the first delimiter may stand at the very start

    def more(self) -> None:
        piece = next(self.pieces, b"")
        if not piece:
            raise MultipartError("an answer that ends before its last part does")
        self.waiting += piece

    def skip_to_delimiter(self) -> None:
        while (found := self.waiting.find(self.delimiter)) < 0:
            self._refuse_long("a multipart answer that does not begin with its boundary")
            self.more()
        del self.waiting[: found + len(self.delimiter)]

    def is_closed(self) -> bool:
        """Return whether the delimiter just passed was the last one."""
        while len(self.waiting) < 2:
            self.more()
        return self.waiting[:2] == b"--"

    def read_head(self) -> None:
        """Pass over the headers of a part, which begin behind the line of the delimiter."""
        end = _LINE_END * 2
        while (found := self.waiting.find(end)) < 0:
            self._refuse_long("a part with endless headers")
            self.more()
        del self.waiting[: found + len(end)]

    def body(self) -> Iterator[bytes]:
        """Yield the bytes up to the next delimiter, which may be cut by the end of a piece."""
        kept = len(self.delimiter) - 1
        while (found := self.waiting.find(self.delimiter)) < 0:
            if len(self.waiting) > kept:
                yield bytes(self.waiting[:-kept])
                del self.waiting[:-kept]
            self.more()
        yield bytes(self.waiting[:found])
        del self.waiting[: found + len(self.delimiter)]

    def _refuse_long(self, what: str) -> None:
        if len(self.waiting) > LARGEST_HEAD:
            raise MultipartError(what)
