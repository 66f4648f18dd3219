"""Which lesions can be measured, and so be targets (RECIST 1.1, sections 3.1 and 3.2).

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247. MRI is judged as CT (EORTC; criteria page, 1.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from response.cells import NO_NUMBER, thousandths_text
from response.measurements import Measurements
from response.readings import PATHOLOGICAL_NODE_UM, TARGET_NODE_UM, counting_length_um
from response.table import TextColumn
from response.vocabulary import LesionType, LocalTreatment, State, folded, may_tell_kind, never_measurable_kind

SMALLEST_UM: Final = 10_000  # longest diameter on CT, MRI or by calipers, section 3.1.1
SMALLEST_XRAY_UM: Final = 20_000  # on chest X-ray, section 3.1.1
THICK_SLICE_UM: Final = 5_000  # on thicker slices a lesion needs twice the slice, section 3.1.1
NEVER_MEASURABLE: Final = (
    LesionType.BLASTIC,
    LesionType.EFFUSION,
    LesionType.ASCITES,
    LesionType.LEPTOMENINGEAL,
    LesionType.LYMPHANGITIC,
    LesionType.INFLAMMATORY_BREAST,
    LesionType.ORGANOMEGALY,
)


SITE_COLUMNS: Final = ("organ", "location", "lesion")  # columns whose words tell where and what a lesion is


class Method(IntEnum):
    """Imaging method, as far as measurability depends on it."""

    OTHER = 0
    XRAY = 1
    NEVER = 2  # ultrasound, endoscopy, laparoscopy: operator-dependent, section 3.2.2
    BONE_SCAN = 3
    PET = 4


_METHODS: Final = {
    Method.XRAY: "x ray;xray;chest x ray;chest xray;cxr;cr;dx;radiograph;chest radiograph;plain film;x ray chest",
    Method.NEVER: "us;eus;ultrasound;endoscopic ultrasound;sonography;endoscopy;bronchoscopy;colonoscopy;laparoscopy",
    Method.BONE_SCAN: "bone scan;scintigraphy;bone scintigraphy;nm;radionuclide bone scan;bone scintiscan",
    Method.PET: "pet;fdg pet;pet ct;fdg pet ct;pt",
}
_METHOD_OF: Final = {text: method for method, texts in _METHODS.items() for text in texts.split(";")}


def method_of(text: str) -> Method:
    """Return the method that a text of the column `modality` names."""
    return _METHOD_OF.get(folded(text), Method.OTHER)


class NotMeasurable(IntEnum):
    """Why a lesion is not measurable; `NO` where it is measurable."""

    NO = 0
    KIND = 1
    METHOD = 2
    NOT_MEASURED = 3
    NORMAL_NODE = 4
    SMALL_NODE = 5
    SMALL = 6
    THIN_FOR_SLICE = 7
    XRAY = 8
    SITE = 9


# What keeps a lesion from being a target, and what would be expected of one.
REASONS: Final = {
    NotMeasurable.NO: ("measurable", ""),
    NotMeasurable.KIND: ("a kind of lesion that is never measurable", "a lesion with a measurable extent"),
    NotMeasurable.METHOD: ("seen by a method that does not measure", "CT, MRI, or calipers for a superficial lesion"),
    NotMeasurable.NOT_MEASURED: ("no diameter", "a diameter at baseline"),
    NotMeasurable.NORMAL_NODE: ("a normal node: its short axis is below 10 mm", "a short axis of at least 15 mm"),
    NotMeasurable.SMALL_NODE: ("a node with a short axis below 15 mm", "a short axis of at least 15 mm"),
    NotMeasurable.SMALL: ("a longest diameter below 10 mm", "a longest diameter of at least 10 mm"),
    NotMeasurable.THIN_FOR_SLICE: ("smaller than twice the slice thickness", "at least twice the slice thickness"),
    NotMeasurable.XRAY: ("below 20 mm on chest X-ray", "at least 20 mm on chest X-ray"),
    NotMeasurable.SITE: (
        "by its site of a kind that is never measurable",
        "a lesion with a measurable extent, or a lesion_type that tells of one",
    ),
}


@dataclass(frozen=True, eq=False)
class BaselineLesions:
    """Lesions as they stand at baseline; arrays `[lesion]`.

    Attributes
    ----------
    rows
        Row of the measurement table.
    length_um
        Length that counts, `cells.NO_NUMBER` where there is none.
    slice_um
        Slice thickness, `cells.NO_NUMBER` where it is not recorded.
    why
        `NotMeasurable`.
    treated
        Whether it was treated locally before baseline and no progression since is recorded.
    cystic
        Whether it is cystic.
    kind
        `vocabulary.LesionType`, as recorded or, where sites were read, as the site tells.
    """

    rows: NDArray[Any]
    length_um: NDArray[np.int32]
    slice_um: NDArray[np.int32]
    why: NDArray[np.int8]
    treated: NDArray[np.bool_]
    cystic: NDArray[np.bool_]
    kind: NDArray[np.int8]

    def sized(self, lesion: int) -> str:
        """Return the length of a lesion as a text."""
        length = int(self.length_um[lesion])
        return "no diameter" if length == NO_NUMBER else f"{thousandths_text(length)} mm"


def baseline_lesions(
    measurements: Measurements,
    rows: NDArray[Any],
    nodal: NDArray[np.bool_],
    *,
    node_slice_rule: str = "warn",
    read_sites: bool = False,
) -> BaselineLesions:
    """Judge whether lesions are measurable.

    Parameters
    ----------
    measurements
        The table.
    rows
        Baseline row of each lesion, `[lesion]`.
    nodal
        Whether the short axis counts, `[lesion]`.
    node_slice_rule
        `warn` (a node needs 15 mm whatever the slice) or `max_15_2x_slice` (it needs twice the slice as well).
    read_sites
        Whether organ, location and name tell the kind of a lesion (ascites ...) of which none is recorded: for advice,
        never for a response.
    """
    length = counting_length_um(measurements, nodal, rows)
    slices = measurements.numbers_of("slice_thickness_mm", rows)
    written = measurements.code("state")[rows]
    written_kind = measurements.code("lesion_type")[rows]
    kinds = kinds_with_sites(measurements, rows, written_kind) if read_sites else written_kind
    method = methods(measurements, rows)
    xray = (method == Method.XRAY) & ~nodal
    why = why_not_by_size(
        length, np.where(method == Method.XRAY, NO_NUMBER, slices), nodal, node_slice_rule=node_slice_rule
    )
    unmeasured = (length == NO_NUMBER) & (written != State.TOO_SMALL)
    ordered = (  # the later ones win
        (NotMeasurable.NO, xray),
        (NotMeasurable.XRAY, xray & (length < SMALLEST_XRAY_UM)),
        (NotMeasurable.NOT_MEASURED, unmeasured | (written == State.NOT_EVALUABLE)),
        (NotMeasurable.METHOD, np.isin(method, (Method.NEVER, Method.BONE_SCAN))),
        (NotMeasurable.SITE, np.isin(kinds, NEVER_MEASURABLE) & ~nodal),
        (NotMeasurable.KIND, np.isin(written_kind, NEVER_MEASURABLE)),
    )
    for reason, holds in ordered:
        why[holds] = reason
    treated = measurements.code("previously_treated")[rows] == LocalTreatment.YES
    return BaselineLesions(rows, length, slices, why, treated, np.asarray(kinds == LesionType.CYSTIC), kinds)


def kinds_with_sites(measurements: Measurements, rows: NDArray[Any], kinds: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return kinds of lesions, `[lesion]`, where none is recorded as organ, location and name together tell."""
    columns = [measurements.text_column(name) for name in SITE_COLUMNS]
    telling = np.zeros(len(rows), np.bool_)
    for column in columns:
        words = np.asarray([may_tell_kind(text) for text in column.values], np.bool_)
        telling |= words[column.codes[rows]]
    found = kinds.copy()
    for lesion in np.flatnonzero(telling & (kinds == LesionType.BLANK)).tolist():
        found[lesion] = never_measurable_kind(site_text(columns, [column.codes[rows[lesion]] for column in columns]))
    return found


def site_text(columns: Sequence[TextColumn], codes: Sequence[int]) -> str:
    """Return what columns say of where a lesion is, by the codes of one row; each text once."""
    texts = (column.values[code] for column, code in zip(columns, codes, strict=True))
    return ", ".join(dict.fromkeys(filter(None, texts)))


def why_not_by_size(
    length_um: NDArray[Any], slice_um: NDArray[Any], nodal: NDArray[np.bool_], *, node_slice_rule: str = "warn"
) -> NDArray[np.int8]:
    """Return why lesions are too small to be measured on CT or MRI, as `NotMeasurable`; `[lesion]`.

    Parameters
    ----------
    length_um
        Length that counts, in micrometres: short axis of nodes, else longest diameter.
    slice_um
        Slice thickness, or distance of the slices if larger; `cells.NO_NUMBER` where it is not known.
    nodal
        Whether it is a lymph node.
    node_slice_rule
        As of `baseline_lesions`.
    """
    small = np.where(nodal, TARGET_NODE_UM, SMALLEST_UM)
    thick = (slice_um > THICK_SLICE_UM) & (length_um < 2 * slice_um.astype(np.int64))
    if node_slice_rule == "warn":
        thick &= ~nodal
    ordered = (  # the later ones win
        (NotMeasurable.THIN_FOR_SLICE, thick),
        (NotMeasurable.SMALL, (length_um < small) & ~nodal),
        (NotMeasurable.SMALL_NODE, (length_um < small) & nodal),
        (NotMeasurable.NORMAL_NODE, (length_um < PATHOLOGICAL_NODE_UM) & nodal),
    )
    why = np.zeros(len(length_um), np.int8)
    for reason, holds in ordered:
        why[holds] = reason
    return why


def methods(measurements: Measurements, rows: NDArray[Any]) -> NDArray[np.int8]:
    """Return the `Method` of some rows, in their shape."""
    column = measurements.text_column("modality")
    of_text = np.asarray([method_of(text) for text in column.values], np.int8)
    return np.asarray(of_text[column.codes[rows]])
