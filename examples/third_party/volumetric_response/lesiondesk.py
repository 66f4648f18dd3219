"""Reader of the text export of LesionDesk, a made-up workstation.

The first line says what the file is and whose; then comes a line per study, and under it one per lesion, with blanks
between the items: name, role, organ, longest and short diameter in mm, volume in ml; `-` where nothing was measured.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from response.plugins import InputError, TextColumn, TextTable

FIRST_WORDS: Final = "LesionDesk export of"
ITEMS: Final = ("lesion", "role", "organ", "longest_mm", "short_mm", "volume_mm3")
MM3_PER_ML: Final = 1000


class LesionDesk:
    """Gives the lesions of an export as rows of the measurement table; organs have no blank (`lymph_node`)."""

    def can_read(self, path: Path) -> bool:
        """Return whether a file is such an export; asked of every path, so it looks at the first bytes alone."""
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(FIRST_WORDS)) == FIRST_WORDS.encode()

    def read(self, path: Path) -> TextTable:
        """Return the rows under the canonical names; every cell stays text, and each row knows its line."""
        rows = list(_rows(path))
        names = ("subject", "timepoint", "date", *ITEMS)
        columns = {name: TextColumn.of(row[name] for _, row in rows) for name in names}
        return TextTable.of(columns, str(path), lines=[line for line, _ in rows], notes=["volumes: ml as mm3"])


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    study: dict[str, str] = {"subject": first.removeprefix(FIRST_WORDS).strip()}
    for number, line in enumerate(lines, start=2):
        words = line.split()
        if words[:1] == ["study"] and len(words) == 3:
            study |= {"date": words[1], "timepoint": words[2]}
        elif len(words) == len(ITEMS) and "timepoint" in study:
            yield number, {**study, **_lesion(f"{path}:{number}", words)}
        elif words:
            raise InputError(f"{path}:{number}", f"{len(words)} items", f"{len(ITEMS)} items under a line 'study'")


def _lesion(where: str, words: list[str]) -> dict[str, str]:
    found = {name: "" if word == "-" else word for name, word in zip(ITEMS, words, strict=True)}
    found["organ"] = found["organ"].replace("_", " ")
    try:
        volume = Decimal(found["volume_mm3"] or "NaN") * MM3_PER_ML  # a float would not be exact
    except InvalidOperation:
        raise InputError(where, f"a volume of '{found['volume_mm3']}'", "a number of ml") from None
    return {**found, "volume_mm3": "" if volume.is_nan() else format(volume, "f")}


LESIONDESK: Final = LesionDesk()
