"""Tumour response from lesion measurements: RECIST 1.1, Choi, Chun, each decision with its reason."""

from pathlib import Path as _Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from response.api import best_response, read
    from response.engine import Assessment, assess
    from response.errors import CriterionError, InputError, MissingExtraError, ProtocolError, ResponseError
    from response.findings import Finding
    from response.measurements import Measurements
    from response.protocol import Protocol
    from response.selection import select_targets

_here = _Path(__file__).resolve().parent
if not (_here / "io").is_dir() and (_here.parent / "pyproject.toml").is_file():
    __path__.append(str(_here.parent))  # a checkout without symlinks: response.io is ../io
del _Path, _here

__version__ = "0.1.0"
__all__ = [
    "Assessment",
    "CriterionError",
    "Finding",
    "InputError",
    "Measurements",
    "MissingExtraError",
    "Protocol",
    "ProtocolError",
    "ResponseError",
    "assess",
    "best_response",
    "read",
    "select_targets",
]
_HOMES = {  # imported when they are first asked for, so that the command line starts fast
    "Assessment": "response.engine",
    "CriterionError": "response.errors",
    "Finding": "response.findings",
    "InputError": "response.errors",
    "Measurements": "response.measurements",
    "MissingExtraError": "response.errors",
    "Protocol": "response.protocol",
    "ProtocolError": "response.errors",
    "ResponseError": "response.errors",
    "assess": "response.engine",
    "best_response": "response.api",
    "read": "response.api",
    "select_targets": "response.selection",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'response' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
