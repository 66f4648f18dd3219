"""Masks of one file on one grid, and the findings that reading them gave."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from response.findings import Finding, Severity
from response.imaging.grid import Grid
from response.imaging.lesion_mask import LesionMask

HALF: Final = 0.5  # share of the largest fraction from which on a voxel counts: what is more inside than outside


@dataclass(frozen=True, eq=False, kw_only=True)
class Masks:
    """The structures that one file holds.

    Attributes
    ----------
    masks
        In the order of the file, all on `grid`. A structure that is described but has no voxel is there with size 0;
        one that could not be read whole, or does not lie on the image, is not there but among the findings.
    grid
        The image's, or the masks' own.
    findings
        What could not be used, and what to know.
    referenced_series_uid
        Series on which they were drawn, where the file says so.
    frame_of_reference_uid
        As the file has it.
    is_own_grid
        Whether no image was given.
    source
        Name of the file, for messages.
    """

    masks: list[LesionMask]
    grid: Grid
    findings: Sequence[Finding] = ()
    referenced_series_uid: str = ""
    frame_of_reference_uid: str = ""
    is_own_grid: bool = True
    source: str = ""


def reason(error: BaseException) -> str:
    """Return what kind of damage an error of pydicom tells of; its text may hold values of the patient."""
    return "bytes that are no elements" if isinstance(error, struct.error) else type(error).__name__


class FindingList(list[Finding]):
    """Findings about one file.

    Parameters
    ----------
    file
        Its name.
    """

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file

    def tell(
        self,
        name: str,
        severity: Severity,
        sentence: str,
        *,
        lesion: str = "",
        found: str = "",
        expected: str = "",
        remedy: str = "",
    ) -> None:
        """Add a finding; see `Finding` for the parts."""
        self.append(
            Finding(
                id=name,
                severity=severity,
                sentence=sentence,
                lesion=lesion,
                found=found,
                expected=expected,
                remedy=remedy,
                file=self.file,
            )
        )
