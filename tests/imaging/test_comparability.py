"""What differs between two acquisitions."""

from dataclasses import replace

import pytest

from response.imaging.comparability import differences, unrecorded
from response.imaging.volume import Acquisition

CT = Acquisition(
    modality="CT", phase="portal_venous", kvp=120.0, kernel="B30f", slice_thickness_mm=2.5, contrast_agent="Ultravist"
)
MR = Acquisition(modality="MR", sequence="fl3d_vibe", manufacturer="SIEMENS Aera", slice_thickness_mm=3.0)


@pytest.mark.parametrize(
    ("why", "first", "now", "expected"),
    [
        ("the same", CT, CT, ()),
        ("tube voltage", CT, replace(CT, kvp=100), ("kVp 120 -> 100",)),
        ("a nominal voltage that was rounded", CT, replace(CT, kvp=119.2), ()),
        ("just at the tolerance", CT, replace(CT, kvp=121), ()),
        ("just over it", CT, replace(CT, kvp=121.1), ("kVp 120 -> 121.1",)),
        ("phase", CT, replace(CT, phase="arterial"), ("phase portal_venous -> arterial",)),
        ("no contrast, told once", CT, replace(CT, phase="non_contrast", contrast_agent=""),
         ("phase portal_venous -> non_contrast",)),
        ("kernel", CT, replace(CT, kernel="B70f"), ("kernel B30f -> B70f",)),
        ("case and spaces of a kernel are the exporter's", CT, replace(CT, kernel=" b30F "), ()),
        ("slice thickness", CT, replace(CT, slice_thickness_mm=5), ("slice thickness mm 2.5 -> 5",)),
        ("rounding of a thickness", CT, replace(CT, slice_thickness_mm=2.6), ()),
        ("no rounding any more", CT, replace(CT, slice_thickness_mm=2.61), ("slice thickness mm 2.5 -> 2.61",)),
        ("modality", CT, replace(CT, modality="MR"), ("modality CT -> MR",)),
        ("recorded once only may differ", CT, replace(CT, kvp=0, kernel=""),
         ("kVp 120 -> not recorded", "kernel B30f -> not recorded")),
        ("the phase of one is not known, but that contrast was given is", replace(CT, phase=""), CT,
         ("phase not recorded -> portal_venous",)),
        ("contrast by agent", replace(CT, phase=""), replace(CT, phase="", contrast_agent="NONE"),
         ("contrast medium given -> not given",)),
        ("contrast by agent against phase", replace(CT, phase="", contrast_agent="none"), CT,
         ("phase not recorded -> portal_venous", "contrast medium not given -> given")),
        ("of what neither records nothing is said", Acquisition(), Acquisition(), ()),
        ("no number is not recorded", replace(CT, kvp=float("nan")), CT, ("kVp not recorded -> 120",)),
        ("sequence and scanner matter on MR", MR, replace(MR, sequence="t2_haste", manufacturer="GE Signa"),
         ("sequence fl3d_vibe -> t2_haste", "scanner SIEMENS Aera -> GE Signa")),
        ("scanners of CT are calibrated", CT, replace(CT, manufacturer="GE Revolution"), ()),
    ],
)  # fmt: skip
def test_what_differs_is_told_shortly(
    why: str, first: Acquisition, now: Acquisition, expected: tuple[str, ...]
) -> None:
    assert differences(first, now) == expected


@pytest.mark.parametrize(
    ("why", "first", "now", "expected"),
    [
        ("the same", 2.5, 2.5, ()),
        ("positions round", 0.625, 0.7, ()),
        ("another interval", 2.5, 1.25, ("slice interval mm 2.5 -> 1.25",)),
        ("a single slice has none", 2.5, 0.0, ("slice interval mm 2.5 -> not recorded",)),
        ("neither has one", 0.0, 0.0, ()),
    ],
)
def test_the_distance_of_slices_comes_from_positions(
    why: str, first: float, now: float, expected: tuple[str, ...]
) -> None:
    assert differences(CT, CT, first_interval_mm=first, now_interval_mm=now) == expected


@pytest.mark.parametrize(
    ("why", "first", "now", "expected"),
    [
        ("all is there", CT, CT, ()),
        ("no headers at all, as of NIfTI", Acquisition(), Acquisition(), ("modality", "phase", "kVp")),
        ("known once: that it may differ is told by `differences`", CT, Acquisition(modality="CT"), ()),
        ("MR has no tube", replace(MR, sequence=""), replace(MR, sequence=""), ("sequence",)),
        ("phase of both CT", replace(CT, phase=""), replace(CT, phase=""), ("phase",)),
    ],
)
def test_what_nobody_recorded_is_listed(
    why: str, first: Acquisition, now: Acquisition, expected: tuple[str, ...]
) -> None:
    assert unrecorded(first, now) == expected
