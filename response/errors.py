"""The errors of this package: each says where, what was found, what was expected and what to do."""

import traceback
from collections.abc import Sequence


class ResponseError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(ResponseError):
    """An input that cannot be used at all (one unusable cell or row is a finding, not an error).

    Attributes
    ----------
    where
        File, and line or column where known.
    found, expected
        What stood there, and what was expected.
    remedy
        What the person can do.
    """

    def __init__(self, where: str, found: str, expected: str, remedy: str = "") -> None:
        self.where, self.found, self.expected, self.remedy = where, found, expected, remedy
        super().__init__(f"{where}: {found}; expected {expected}" + (f" ({remedy})" if remedy else ""))


class ProtocolError(ResponseError):
    """A protocol with unknown or impossible options; all faults are told at once.

    Attributes
    ----------
    faults
        One sentence per fault.
    """

    def __init__(self, where: str, faults: Sequence[str]) -> None:
        self.where, self.faults = where, tuple(faults)
        super().__init__("\n".join(f"{where}: {fault}" for fault in faults))


class CriterionError(ResponseError):
    """A criterion that is unknown, is there twice, or cannot run."""


class MissingExtraError(ResponseError):
    """An optional dependency that is not installed; the message says which extra brings it."""

    def __init__(self, purpose: str, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{purpose} needs {package}: pip install 'tumor-response[{extra}]'")


class OutputError(ResponseError):
    """Results that could not be written; nothing partial is left behind."""


def place_of_fault(error: BaseException, package: str = "response") -> str:
    """Return the kind of an unexpected error and where it came up; never its text, which may hold a patient's data.

    Parameters
    ----------
    error
        The error.
    package
        Whose last place is named, where the error passed through it.

    Returns
    -------
    str
        Kind, module and line, as in `KeyError at package.module:14`.
    """
    places = [(frame.f_globals.get("__name__", ""), line) for frame, line in traceback.walk_tb(error.__traceback__)]
    theirs = [(module, line) for module, line in places if module.partition(".")[0] == package] or places
    where = f"{theirs[-1][0]}:{theirs[-1][1]}" if theirs else "an unknown place"
    return f"{type(error).__name__} at {where}"
