"""The series that stand beside a segmented one: those that the table of pairs names, or else those that fit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from response.findings import Finding
from response.io.dicom_headers import Header
from response.io.image_pairs import ImagePair
from response.io.paired_series import ADC_MAP, UNENHANCED_SERIES, Beside, Chosen, find_adc, find_unenhanced

Series = Mapping[str, Sequence[Header]]

_FINDERS: Final[Mapping[Beside, Callable[[Sequence[Header], Series], Chosen]]] = {
    UNENHANCED_SERIES: find_unenhanced,
    ADC_MAP: find_adc,
}


@dataclass(frozen=True, kw_only=True)
class FilesBeside:
    """Files of the series that stand beside a segmented one; empty where there is none, or none was chosen.

    Attributes
    ----------
    unenhanced
        The same without contrast medium.
    adc
        The ADC map beside an MR image.
    """

    unenhanced: tuple[Path, ...] = ()
    adc: tuple[Path, ...] = ()

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return self.unenhanced + self.adc


class SeriesBeside:
    """Finds the series beside others.

    Parameters
    ----------
    series
        Those of the scan, by UID.

    Attributes
    ----------
    findings
        What was not used, and why; each series is asked for once.
    """

    def __init__(self, series: Series) -> None:
        self.findings: list[Finding] = []
        self._series = series
        self._found: dict[tuple[Beside, str], tuple[Path, ...]] = {}

    def of(self, image: Sequence[Header], pair: ImagePair | None) -> FilesBeside:
        """Return the files of the series beside another one.

        Parameters
        ----------
        image
            Headers of the segmented series; none where the image is no DICOM.
        pair
            What the table says of the mask, where it says something.
        """
        return FilesBeside(
            unenhanced=self._files(UNENHANCED_SERIES, image, pair, pair.unenhanced if pair is not None else None),
            adc=self._files(ADC_MAP, image, pair, pair.adc if pair is not None else None),
        )

    def in_folder(self, folder: Path) -> list[Sequence[Header]]:
        """Return the series that have files in a folder, or below it."""
        return [headers for headers in self._series.values() if any(folder in item.path.parents for item in headers)]

    def _files(
        self, what: Beside, image: Sequence[Header], pair: ImagePair | None, path: Path | None
    ) -> tuple[Path, ...]:
        if pair is not None and path is not None:
            return self._named(path, what, pair)
        return self._fitting(image, what) if image else ()

    def _fitting(self, image: Sequence[Header], what: Beside) -> tuple[Path, ...]:
        key = (what, image[0].series_uid)
        if key not in self._found:
            chosen = _FINDERS[what](image, self._series)
            self._found[key] = chosen.paths
            self.findings += [chosen.finding] if chosen.finding else []
        return self._found[key]

    def _named(self, path: Path, what: Beside, pair: ImagePair) -> tuple[Path, ...]:
        """Return the files of an image that the table names: one file, or the only series in a folder or below it."""
        if not path.is_dir():
            return (path,)
        found = self.in_folder(path)
        if len(found) == 1:
            return paths_of(found[0])
        who = Header(path=path / "x", kind="other", subject=pair.subject, timepoint=pair.timepoint or pair.date)
        self.findings.append(
            what.not_used(
                who,
                found=f"{len(found)} series",
                expected="one series",
                why="the folder that the table names does not hold one series",
                remedy="Name a folder with one series; it must lie in the folders that are given.",
                severity="warning",
            )
        )
        return ()


def paths_of(series: Iterable[Header]) -> tuple[Path, ...]:
    """Return the files of a series, sorted."""
    return tuple(sorted(header.path for header in series))
