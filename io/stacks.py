"""Which slices of a series make one volume: one DICOM series may hold several, and they are never mixed."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from response.imaging.grid import Floats
from response.io.planes import Plane

SAME_PLACE_MM: Final = 0.01  # positions along the normal that differ by less are one: files have two decimals or more
_SAME_DIRECTION: Final = 2e-3  # between unit vectors: 0.1 degree
_SAME_SPACING: Final = 1e-3  # relative
_EVEN: Final = 0.02  # of the spacing

# What tells apart images of one place (keyword -> words for a message). A volume never holds two values of these ...
_ALWAYS: Final[Mapping[str, str]] = {
    "ImageType": "image type",
    "FrameType": "image type",
    "SequenceName": "sequence",
    "TemporalPositionIdentifier": "temporal position",
    "TemporalPositionIndex": "temporal position",
    "EchoNumbers": "echo",
    "EffectiveEchoTime": "echo time",
    "DiffusionBValue": "b-value",
    "KVP": "tube voltage",
    "ConvolutionKernel": "kernel",
    "ContrastBolusAgentPhase": "contrast phase",
}
# ... of these it does where the sets lie one after the other, as chest and abdomen do ...
_WHERE_THEY_OVERLAP: Final[Mapping[str, str]] = {
    "AcquisitionNumber": "acquisition number",
    "FrameAcquisitionNumber": "acquisition number",
    "StackID": "stack",
}
# ... and these count only where places repeat, for they may change from slice to slice.
_WHERE_PLACES_REPEAT: Final[Mapping[str, str]] = {
    "EchoTime": "echo time",
    "TriggerTime": "trigger time",
    "NominalCardiacTriggerDelayTime": "trigger time",
}

Planes = list[Plane]


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices of one volume, ascending along their normal.

    Attributes
    ----------
    planes
        One for each place; unsorted where they have no position.
    doubles
        How many slices were left out, for they lie where others do and nothing tells them apart.
    """

    planes: Sequence[Plane]
    doubles: int = 0

    @property
    def has_places(self) -> bool:
        """Whether position and orientation of its slices are known."""
        return _has_place(self.planes[0])


def stacks_of(planes: Iterable[Plane]) -> list[Stack]:
    """Return the stacks of a series.

    1. Slices of another size, orientation, pixel spacing or frame of reference, or without a position, are apart.
    2. So are those that differ in what a volume never mixes (image type, echo, b-value, temporal position, tube
       voltage, kernel, contrast phase), unless each slice has a value of its own.
    3. So are acquisitions and stacks whose slices overlap; those that lie one after the other are one.
    4. Where places still repeat, echo and trigger times tell the slices apart; or else the order in which they were
       acquired, where each place is there equally often. What then repeats is left out.
    """
    groups = _alike_in_space(list(planes))
    steps: tuple[Callable[[Planes], list[Planes]], ...] = (_by_content, _by_acquisition, _by_time)
    for step in steps:
        groups = [part for group in groups for part in (step(group) if _has_place(group[0]) else [group])]
    return [stack for group in groups for stack in _without_doubles(group)]


def choose(stacks: Sequence[Stack], instances: Collection[str]) -> Stack:
    """Return the stack that holds most of some SOP instances, or else most slices; the earlier one of equals."""

    def rank(stack: Stack) -> tuple[int, bool, int]:
        held = sum(plane.elements.text("SOPInstanceUID") in instances for plane in stack.planes)
        return held, stack.has_places, len(stack.planes)

    return max(sorted(stacks, key=lambda stack: _order(stack.planes[0])), key=rank)


def differences(stack: Stack, other: Stack) -> str:
    """Return in words what tells two stacks of a series apart."""
    one, two = stack.planes[0], other.planes[0]
    words = [word for word, same in _in_space(one, two).items() if not same]
    for keywords in (_ALWAYS, _WHERE_THEY_OVERLAP, _WHERE_PLACES_REPEAT):
        words += [word for keyword, word in keywords.items() if _texts(one, [keyword]) != _texts(two, [keyword])]
    return ", ".join(dict.fromkeys(words)) or "order of acquisition only"


def depths(planes: Sequence[Plane]) -> Floats:
    """Return the positions of slices along the normal of the first, mm."""
    axes = planes[0].axes
    assert axes is not None
    return np.array([plane.position for plane in planes], np.float64) @ np.cross(axes[0], axes[1])


# --- Steps.


def _alike_in_space(planes: Planes) -> list[Planes]:
    groups: list[Planes] = []
    for plane in planes:
        for group in groups:
            if all(_in_space(plane, group[0]).values()):
                group.append(plane)
                break
        else:
            groups.append([plane])
    return groups


def _in_space(one: Plane, two: Plane) -> dict[str, bool]:
    """Return by word whether two slices are alike."""
    frames = [plane.elements.text("FrameOfReferenceUID") for plane in (one, two)]
    return {
        "size": one.size == two.size,
        "pixel spacing": _close(one.spacing_mm[0], two.spacing_mm[0]) and _close(one.spacing_mm[1], two.spacing_mm[1]),
        "position (missing)": _has_place(one) == _has_place(two),
        "orientation": _parallel(one, two),
        "frame of reference": frames[0] == frames[1],
    }


def _close(one: float, two: float) -> bool:
    return abs(one - two) <= _SAME_SPACING * one


def _parallel(one: Plane, two: Plane) -> bool:
    if one.axes is None or two.axes is None:
        return True
    return bool(np.abs(one.axes - two.axes).max() <= _SAME_DIRECTION)


def _has_place(plane: Plane) -> bool:
    return plane.position is not None and plane.axes is not None


def _by_content(planes: Planes) -> list[Planes]:
    groups = _grouped(planes, _ALWAYS)
    own_value_each = len(groups) == len(planes) and not _places_repeat(planes)
    return [planes] if own_value_each else groups


def _by_acquisition(planes: Planes) -> list[Planes]:
    groups = _grouped(planes, _WHERE_THEY_OVERLAP, by_file=planes[0].frame_number > 0)
    if len(groups) == 1 or _one_after_the_other(groups):
        return [planes]
    # MR acquires interleaved slices one set after the other; on CT that would be another pass of contrast.
    interleaved = planes[0].elements.text("Modality") == "MR" and _is_even(planes)
    return [planes] if interleaved else groups


def _by_time(planes: Planes) -> list[Planes]:
    return _grouped(planes, _WHERE_PLACES_REPEAT) if _places_repeat(planes) else [planes]


def _without_doubles(planes: Planes) -> list[Stack]:
    """Return stacks with one slice per place, sorted: as many as there are slices at every place, or else one."""
    if not _has_place(planes[0]):
        return [Stack(planes)]
    places: list[Planes] = []
    along = depths(planes)
    last = -np.inf
    for index in np.argsort(along, kind="stable"):
        if along[index] - last > SAME_PLACE_MM:
            places.append([])
            last = along[index]
        places[-1].append(planes[index])
    for place in places:
        place.sort(key=_order)
    fold = len(places[0])
    if all(len(place) == fold for place in places):
        return [Stack([place[turn] for place in places]) for turn in range(fold)]
    return [Stack([place[0] for place in places], doubles=len(planes) - len(places))]


# --- What they need.


def _grouped(planes: Planes, keywords: Iterable[str], *, by_file: bool = False) -> list[Planes]:
    groups: dict[tuple[Any, ...], Planes] = defaultdict(list)
    for plane in planes:
        groups[*_texts(plane, keywords), plane.file.path if by_file else None].append(plane)
    return list(groups.values())


def _texts(plane: Plane, keywords: Iterable[str]) -> list[str]:
    return [plane.elements.text(keyword) if plane.elements.has(keyword) else "" for keyword in keywords]


def _order(plane: Plane) -> tuple[str, str, float, str, int]:
    elements = plane.elements
    number = elements.decimals("InstanceNumber")
    times = [elements.text(keyword) for keyword in ("FrameAcquisitionDateTime", "AcquisitionTime")]
    return times[0], times[1], number[0] if number else 0, str(plane.file.path), plane.frame_number


def _places_repeat(planes: Planes) -> bool:
    return bool((np.diff(np.sort(depths(planes))) <= SAME_PLACE_MM).any())


def _is_even(planes: Planes) -> bool:
    gaps = np.diff(np.sort(depths(planes)))
    return bool(gaps.min() > SAME_PLACE_MM and np.ptp(gaps) <= _EVEN * np.median(gaps))


def _one_after_the_other(groups: list[Planes]) -> bool:
    normal_of = groups[0][0]
    ends = []
    for group in groups:
        along = depths([normal_of, *group])[1:]
        ends.append((along.min(), along.max()))
    ends.sort()
    return all(above[0] - below[1] > SAME_PLACE_MM for below, above in pairwise(ends))
