"""A suggestion for the Chun group of a liver metastasis, with the numbers behind it; a reader decides.

The groups are of Chun et al., JAMA 2009;302:2338-2344, table 1. The paper gives words, and no cut-offs; those here are
choices of this program, each an option. No automatic group was validated in print. Nothing is ever scored from it
unless the user asks for that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Final

import numpy as np

from response.imaging.border_map import BorderMap, map_border
from response.imaging.contrast import is_ct
from response.imaging.core import Core, deep_mm, measure_core
from response.imaging.diameters import measure_diameters
from response.imaging.interface import Interface, measure_interface
from response.imaging.lesion_mask import LesionMask
from response.imaging.liver_reference import LiverReference, measure_liver
from response.imaging.neighbourhood import look_around
from response.imaging.options import MeasureOptions
from response.imaging.rays import Patches, cast_rays
from response.imaging.rim import Rim, measure_rim
from response.imaging.volume import Volume

SHELL_MM: Final = 10.0  # thickness of the surroundings that stand for the liver where there is no mask of it
FEWEST_SLICES: Final = 5  # through a lesion: in fewer its ends, where all is blurred, are most of it
FEWEST_PATCHES: Final = 6  # of the border: about 1 cm2
SMALLEST_BORDER: Final = 0.2  # share of the border that must lie against liver: a lesion at the surface has half


@dataclass(frozen=True, kw_only=True)
class Features:
    """The numbers of one lesion; NaN where one could not be measured.

    Attributes
    ----------
    core_hu, liver_hu, contrast_hu
        Mean of the core, of the liver, and liver minus core.
    core_depth_mm
        How deep below the border the core begins.
    heterogeneity, entropy_ratio
        Of the core against the liver (`core.Core`).
    noise_hu
        Standard deviation of the liver, smoothed.
    width_mm, sharp_share, patches
        Of the border (`interface.Interface`), and how many patches of it were used.
    rim_over_core_hu, rim_over_liver_hu, rim_share
        Of the outermost layer (`rim.Rim`).
    reference
        What stood for the liver: `liver` or `surroundings`.
    slice_mm
        Thickness of the slices, or their distance if larger.
    """

    core_hu: float
    liver_hu: float
    core_depth_mm: float
    heterogeneity: float
    entropy_ratio: float | None
    noise_hu: float
    width_mm: float
    sharp_share: float
    patches: int
    rim_over_core_hu: float
    rim_over_liver_hu: float
    rim_share: float
    reference: str
    slice_mm: float

    @property
    def contrast_hu(self) -> float:
        """Liver minus core."""
        return self.liver_hu - self.core_hu


@dataclass(frozen=True, kw_only=True)
class Votes:
    """What the three features say; empty where one could not be told.

    Attributes
    ----------
    attenuation
        `homogeneous`, `mixed` or `heterogeneous`.
    low, cyst_like
        Whether the core is hypoattenuating, and so much that it looks like a cyst.
    interface
        `sharp`, `variable` or `ill-defined`.
    rim
        `none` or `present`.
    """

    attenuation: str = ""
    low: bool = False
    cyst_like: bool = False
    interface: str = ""
    rim: str = ""

    def __str__(self) -> str:
        """Return the three votes as one text."""
        low = " cyst-like" if self.low and self.cyst_like else " low" if self.low else " not low"
        return "; ".join((f"{self.attenuation}{low}", f"interface {self.interface}", f"rim {self.rim}"))


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A suggested Chun group.

    Attributes
    ----------
    group
        1, 2 or 3; None where none is suggested.
    reason
        Why none is suggested.
    votes
        What the three features say.
    features
        The numbers; None where nothing was measured.
    distances
        By feature: how far the number is from the nearest cut-off of its vote, as a share of the cut-off.
    notes
        What to know, one sentence each.
    border
        Where the border is what; None where it was not asked for, or nothing was measured.
    """

    group: int | None = None
    reason: str = ""
    votes: Votes = field(default_factory=Votes)
    features: Features | None = None
    distances: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    border: BorderMap | None = field(default=None, compare=False, repr=False)

    @property
    def distance(self) -> float | None:
        """The smallest of the distances: how close the call is."""
        return min(self.distances.values(), default=None)


def suggest_group(
    mask: LesionMask,
    volume: Volume,
    *,
    liver: LesionMask | None = None,
    others: Sequence[LesionMask] = (),
    longest_mm: float | None = None,
    options: MeasureOptions | None = None,
    with_border: bool = False,
) -> Suggestion:
    """Suggest the Chun group of a liver metastasis on portal venous CT.

    1. Refuse what cannot be judged: other images, thick slices, small lesions.
    2. Lay an even grid over lesion and surroundings; measure the liver near it, and the core of the lesion.
    3. Look across the border, patch by patch: its width, and a rim.
    4. Group 1: homogeneous and low, sharp, no rim. Group 3: heterogeneous, and ill-defined or with a rim. Else group 2.

    Parameters
    ----------
    mask
        The lesion, on the grid of the image.
    volume
        The image.
    liver
        Mask of the liver; where there is none, the tissue around the lesion stands for it, and a note says so.
    others
        The other lesions of the study; `mask` itself may be among them.
    longest_mm
        Longest diameter; measured if not given.
    options
        The cut-offs, `chun_*`.
    with_border
        Whether the map of the border is made too; it changes nothing else.
    """
    chosen = options or MeasureOptions()
    reason = _why_not(mask, volume, longest_mm, chosen)
    if reason:
        return Suggestion(reason=reason)
    slice_mm = _slice_mm(volume)
    around = look_around(mask, volume, liver, others, chosen.chun_lesion_gap_mm + SHELL_MM)
    reference = measure_liver(around, chosen)
    if reference.reason:
        return Suggestion(reason=reference.reason)
    core = measure_core(around, reference, depth_mm=deep_mm(around, chosen), slice_mm=slice_mm, options=chosen)
    if isnan(core.hu):
        return Suggestion(reason="too few voxels deep inside it")
    patches = cast_rays(around, reference, slice_mm, chosen)
    interface = measure_interface(patches, reference.hu - core.hu, chosen)
    rim = measure_rim(around, patches, core.hu, reference.hu, chosen)
    features = _features(reference, core, interface, rim, slice_mm)
    votes = vote(features, chosen)
    if votes.interface == "sharp" and votes.rim == "none":  # then nothing of the border reaches deeper
        core = measure_core(around, reference, depth_mm=chosen.chun_core_mm, slice_mm=slice_mm, options=chosen)
        features = _features(reference, core, interface, rim, slice_mm)
        votes = vote(features, chosen)
    reason = _border_unseen(patches, interface)
    found = Suggestion(
        group=None if reason else group_of(votes),
        reason=reason,
        votes=votes,
        features=features,
        distances={} if reason else distances_of(features, votes, chosen),
        notes=tuple(_notes(mask, liver)),
    )
    if not with_border:
        return found
    return replace(found, border=map_border(around, volume.grid, patches, interface, rim))


def group_of(votes: Votes) -> int:
    """Return the group that the votes make (criteria page, 3.4, step 6)."""
    if votes.attenuation == "homogeneous" and votes.low and votes.interface == "sharp" and votes.rim == "none":
        return 1
    if votes.attenuation == "heterogeneous" and (votes.interface == "ill-defined" or votes.rim == "present"):
        return 3
    return 2


def vote(features: Features, options: MeasureOptions) -> Votes:
    """Return what the features say; a number on its cut-off falls on the side that the option names."""
    low = features.contrast_hu >= options.chun_low_contrast_hu and features.core_hu <= options.chun_low_hu
    return Votes(
        attenuation=_attenuation(features.heterogeneity, options),
        low=low,
        cyst_like=low and features.core_hu <= options.chun_cyst_hu,
        interface=_interface(features.sharp_share, options),
        rim="" if isnan(features.rim_share) else "present" if features.rim_share >= options.chun_rim_share else "none",
    )


def distances_of(features: Features, votes: Votes, options: MeasureOptions) -> dict[str, float]:
    """Return how far each number is from the nearest cut-off of its vote, as a share of the cut-off.

    How low a lesion is counts for a homogeneous one only: nothing is asked of it in the others.
    """
    found = {
        "homogeneity": _nearest(features.heterogeneity, options.chun_homogeneous, options.chun_heterogeneous),
        "interface": _nearest(features.sharp_share, options.chun_sharp_share, options.chun_ill_defined_share),
        "rim": _nearest(features.rim_share, options.chun_rim_share),
    }
    if votes.attenuation == "homogeneous":
        margins = (
            _margin(features.contrast_hu - options.chun_low_contrast_hu, options.chun_low_contrast_hu),
            _margin(options.chun_low_hu - features.core_hu, options.chun_low_hu),
        )
        found["low"] = abs(min(margins))  # both must hold, so the worse decides
    return {name: distance for name, distance in found.items() if not isnan(distance)}


def _why_not(mask: LesionMask, volume: Volume, longest_mm: float | None, options: MeasureOptions) -> str:
    acquisition = volume.acquisition
    if not is_ct(acquisition):
        return f"the groups are for CT, and this is {acquisition.modality or 'an image of unknown modality'}"
    if acquisition.phase != "portal_venous":
        told = acquisition.phase.replace("_", " ") if acquisition.phase not in ("", "contrast") else "not recorded"
        return f"the groups are for the portal venous phase, and that of this image is {told}"
    slice_mm = _slice_mm(volume)
    if slice_mm <= 0 or volume.grid.shape[0] < 2:
        return "a single slice does not show the border"
    if slice_mm > options.chun_thickest_slice_mm:
        return f"slices of {slice_mm:g} mm are thicker than {options.chun_thickest_slice_mm:g} mm"
    return _too_small(mask, volume, longest_mm, options)


def _too_small(mask: LesionMask, volume: Volume, longest_mm: float | None, options: MeasureOptions) -> str:
    if not mask.voxels.any():
        return "the mask has no voxels"
    if longest_mm is None:
        diameters = measure_diameters(mask, volume.grid, options)
        longest_mm = 0.0 if diameters is None else diameters.longest_mm
    if longest_mm < options.chun_smallest_mm:
        return f"its longest diameter of {longest_mm:.1f} mm is below {options.chun_smallest_mm:g} mm"
    return ""


def _slice_mm(volume: Volume) -> float:
    return max(volume.acquisition.slice_thickness_mm, volume.grid.slice_spacing_mm)


def _border_unseen(patches: Patches, interface: Interface) -> str:
    if not len(patches.rays):
        return "pixels or slices are too coarse to show its border"
    used = float(patches.rays[np.isfinite(interface.width_mm)].sum())
    if interface.used < FEWEST_PATCHES or used < SMALLEST_BORDER * float(patches.rays.sum()):
        return "too little of its border lies against liver"
    return ""


def _notes(mask: LesionMask, liver: LesionMask | None) -> Iterator[str]:
    slices = int(np.count_nonzero(mask.voxels.any(axis=(1, 2))))
    if slices < FEWEST_SLICES:
        yield f"only {slices} slices show it, which blurs every feature"
    if liver is None:
        yield "no mask of the liver: the tissue around the lesion stood for it"


def _features(reference: LiverReference, core: Core, interface: Interface, rim: Rim, slice_mm: float) -> Features:
    return Features(
        core_hu=core.hu,
        liver_hu=reference.hu,
        core_depth_mm=core.depth_mm,
        heterogeneity=core.heterogeneity,
        entropy_ratio=core.entropy_ratio,
        noise_hu=reference.noise_hu,
        width_mm=interface.median_mm,
        sharp_share=interface.sharp_share,
        patches=interface.used,
        rim_over_core_hu=rim.over_core_hu,
        rim_over_liver_hu=rim.over_liver_hu,
        rim_share=rim.share,
        reference=reference.source,
        slice_mm=slice_mm,
    )


def _attenuation(heterogeneity: float, options: MeasureOptions) -> str:
    if heterogeneity <= options.chun_homogeneous:
        return "homogeneous"
    return "heterogeneous" if heterogeneity > options.chun_heterogeneous else "mixed"


def _interface(sharp_share: float, options: MeasureOptions) -> str:
    if isnan(sharp_share):
        return ""
    if sharp_share >= options.chun_sharp_share:
        return "sharp"
    return "ill-defined" if sharp_share <= options.chun_ill_defined_share else "variable"


def _nearest(number: float, *cut_offs: float) -> float:
    return min(abs(_margin(number - cut_off, cut_off)) for cut_off in cut_offs)


def _margin(difference: float, cut_off: float) -> float:
    return difference / abs(cut_off) if cut_off else difference
