"""Tumour response from lesion measurements: RECIST 1.1, Choi, Chun, each decision with its reason."""

from pathlib import Path as _Path

_here = _Path(__file__).resolve().parent
if not (_here / "io").is_dir() and (_here.parent / "pyproject.toml").is_file():
    __path__.append(str(_here.parent))  # a checkout without symlinks: response.io is ../io
del _Path, _here
