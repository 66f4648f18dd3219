"""Files written whole or not at all: into a hidden folder beside the results first, moved into place at the end."""

import contextlib
import errno
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from response.errors import OutputError

_MARK: Final = ".tumor-response-"
_SENTENCES: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota of the disk is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "you have no right to write there",
    errno.EPERM: "you have no right to write there",
    errno.EFBIG: "the file is too large for the disk",
}


@contextlib.contextmanager
def staged_folder(folder: Path, *, keep: Sequence[Path] = ()) -> Iterator[Path]:
    """Hand out an empty folder to write into; at the end its files are moved into `folder`, which is made if needed.

    Files of `folder` with other names stay as they are. If anything goes wrong, an interrupt included, nothing in
    `folder` is changed and nothing partial is left behind.

    Parameters
    ----------
    folder
        Where the files shall stand.
    keep
        Files that must not be written over: the inputs.

    Raises
    ------
    OutputError
        If the folder cannot be written, the disk is full, or a file would replace one of `keep`.
    """
    folder = Path(folder)
    stage = None
    try:
        with _told(folder):
            stage = _stage_beside(folder)
        yield stage
        with _told(folder):
            _move(stage, folder, keep)
    except OSError as error:
        raise _output_error(folder, error) from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


@contextlib.contextmanager
def staged_file(path: Path, *, keep: Sequence[Path] = ()) -> Iterator[Path]:
    """Hand out a path to write one file to, which becomes `path` at the end; see `staged_folder`."""
    path = Path(path)
    with staged_folder(path.parent, keep=keep) as stage:
        yield stage / path.name


def _stage_beside(folder: Path) -> Path:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: cannot write there, for it is a file; expected a folder")
    # within the folder where there is one: it may be on another disk than its parent, and only a move is whole
    base = folder if folder.is_dir() else next(parent for parent in folder.absolute().parents if parent.is_dir())
    stage = base / f"{_MARK}{secrets.token_hex(6)}"
    stage.mkdir()  # not the private folder of tempfile: the results get the permissions that the person's files have
    return stage


def _move(stage: Path, folder: Path, keep: Sequence[Path]) -> None:
    """Move all files of the stage into the folder; if one fails, bring back what stood there."""
    files = sorted(path for path in stage.iterdir() if path.is_file())
    _refuse_inputs([folder / file.name for file in files], keep)
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    old = stage / "old"
    old.mkdir()
    moved: list[Path] = []
    try:
        for file in files:
            target = folder / file.name
            moved.append(target)
            if target.exists():
                target.replace(old / target.name)
            file.replace(target)
    except BaseException:
        for target in moved:
            _restore(target, old / target.name)
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def _restore(target: Path, kept: Path) -> None:
    with contextlib.suppress(OSError):
        if kept.exists():
            kept.replace(target)
        else:
            target.unlink()


def _refuse_inputs(targets: Iterable[Path], keep: Sequence[Path]) -> None:
    inputs = {path.resolve() for path in keep}
    for target in targets:
        if target.resolve() in inputs or any(_is_same(target, path) for path in keep):
            raise OutputError(f"{target}: this is an input file, which is never written over; choose another folder")


def _is_same(target: Path, path: Path) -> bool:
    try:
        return target.samefile(path)
    except OSError:
        return False


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _output_error(folder, error) from error


def _output_error(folder: Path, error: OSError) -> OutputError:
    number = error.errno or 0
    why = _SENTENCES.get(number) or error.strerror or str(error) or type(error).__name__
    return OutputError(f"{folder}: the results could not be written: {why}. Nothing was changed there.")
