"""Names of what we write: UIDs that are the same in every run, file names, and texts that fit a DICOM element."""

import hashlib
import re
import unicodedata
import uuid
from typing import Final

_OURS: Final = uuid.UUID("6c1c9a52-9f4b-5d0e-8a37-6a1f6f0f3c11")  # drawn once; it sets our UIDs apart from others'
_UID: Final = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_UID_LENGTH: Final = 64  # PS3.5, 9.1
_NAME_LENGTH: Final = 100  # bytes of a file name; file systems take 255
_SAFE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_DIGEST: Final = 8

LONG_STRING: Final = 64  # of LO (PS3.5, 6.2)
LARGEST_TEXT: Final = 10_000  # characters of a text that we write; UT would take 4 GB


def stable_uid(*parts: object) -> str:
    """Return the UID of something that these parts name, the same in every run (PS3.5, B.2: 2.25 and a UUID)."""
    return f"2.25.{uuid.uuid5(_OURS, chr(31).join(map(str, parts))).int}"


def is_uid(text: str) -> bool:
    """Return whether a text is a valid UID."""
    return len(text) <= _UID_LENGTH and _UID.fullmatch(text) is not None


def safe_name(*parts: str) -> str:
    """Return a file name (without suffix) for some ids, whatever characters they hold.

    Ids of plain letters, figures, points and hyphens stand in it as they are. Any other id is cut down to those and
    gets a mark made of all of it, so that two ids never share a name.
    """
    plain = "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", part).strip(".-")[:_NAME_LENGTH] for part in parts if part)
    joined = "_".join(part for part in parts if part)
    if plain == joined and _SAFE.fullmatch(plain) and len(plain) <= _NAME_LENGTH:
        return plain
    return "_".join(part for part in (plain[:_NAME_LENGTH].strip("._-"), _digest(*parts)) if part)


def long_string(text: str, length: int = LONG_STRING) -> str:
    """Return a text as LO or SH takes it: one line, without backslash, cut to its length.

    The standard counts characters, some programs count bytes; so it is cut to what fits either way.
    """
    plain = "".join(" " if _is_control(char) else char for char in text.replace("\\", "/"))
    return plain.strip().encode()[:length].decode("utf-8", "ignore").strip()


def fitted_id(text: str) -> str:
    """Return an id as LO takes it; one that does not fit gets a mark made of all of it, so that no two become one."""
    fitted = long_string(text)
    if fitted == text:
        return text
    return f"{long_string(text, LONG_STRING - _DIGEST - 1)}~{_digest(text)}"


def person_name(text: str) -> str:
    """Return a text as a person's name of one part (PN)."""
    return long_string(re.sub(r"[\^=]+", " ", text))


def long_text(text: str) -> str:
    """Return a text as UT takes it: line ends are kept, other control characters are not."""
    return "".join(" " if _is_control(char) and char not in "\r\n" else char for char in text)[:LARGEST_TEXT].rstrip()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs")
