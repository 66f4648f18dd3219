"""The files in folders of any depth, whatever stands there: loops of links, pipes, folders that may not be opened."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from response.errors import InputError
from response.findings import Finding
from response.io.dicom_bytes import shown

OWN_FOLDERS: Final = ".tumor-response"  # what hidden folders of ours start with: results half written, finished studies
_FOREIGN_FOLDERS: Final = frozenset({"__MACOSX"})  # doubles of every file, made by an archiver
_FOREIGN_FILES: Final = "._"  # resource forks that macOS leaves on foreign disks


class Walk:
    """Goes through files and folders; iterate over it once.

    Folders are entered once, by whatever way they are reached; their entries come in the order of their names.

    Attributes
    ----------
    findings
        Folders that could not be opened, and names that are neither file nor folder.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self.paths = [Path(path) for path in paths]
        self.findings: list[Finding] = []
        self._seen: set[tuple[int, int] | str] = set()

    def __iter__(self) -> Iterator[Path]:
        """Yield regular files, each once.

        Raises
        ------
        InputError
            If one of the paths given is not there, or is neither a file nor a folder.
        """
        for path in self.paths:
            try:
                mode = path.stat().st_mode
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else "an impossible name"
                raise InputError(shown(path), str(why), "a file or a folder", "check the name") from None
            if stat.S_ISDIR(mode):
                yield from self._files_below(path)
            elif stat.S_ISREG(mode):
                yield from self._once(path)
            else:
                raise InputError(shown(path), "neither a file nor a folder", "a file or a folder")

    def _files_below(self, folder: Path) -> Iterator[Path]:
        todo = [folder]
        while todo:
            current = todo.pop()
            files, folders = self._entries(current)
            for file in files:
                yield from self._once(file)
            todo.extend(reversed(folders))

    def _entries(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Return files and folders in a folder that was not entered yet."""
        files, folders = [], []
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in self._seen:
                return [], []
            self._seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self._tell(folder, "folder_unreadable", f"The folder cannot be opened: {error.strerror}.")
            return [], []
        for entry in entries:
            kind = self._kind(entry)
            if kind == "folder" and not (entry.name.startswith(OWN_FOLDERS) or entry.name in _FOREIGN_FOLDERS):
                folders.append(folder / entry.name)
            elif kind == "file" and not entry.name.startswith(_FOREIGN_FILES):
                files.append(folder / entry.name)
        return files, folders

    def _kind(self, entry: "os.DirEntry[str]") -> str:
        try:
            if entry.is_dir():
                return "folder"
            if entry.is_file():
                return "file"
            why = "it is no file or folder, or a link to nothing"
        except OSError as error:
            why = str(error.strerror)
        self._tell(Path(entry.path), "entry_unreadable", f"It was passed over: {why}.")
        return ""

    def _once(self, file: Path) -> Iterator[Path]:
        name = str(file.absolute())
        if name not in self._seen:
            self._seen.add(name)
            yield file

    def _tell(self, path: Path, name: str, sentence: str) -> None:
        self.findings.append(
            Finding(
                id=name,
                severity="warning",
                found=shown(path),
                expected="a file or folder that may be read",
                sentence=sentence,
                remedy="Correct the rights of the folder, or leave it out.",
                file=shown(path),
            )
        )
