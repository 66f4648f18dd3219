"""ADC maps of MR, with their unit as far as headers tell it.

Source: DICOM PS3.3, C.7.6.16.2.11 (real world value mapping). Its units are those of UCUM; which of them are in use
was read in the code lists of DCMTK and the examples of dcmqi.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Final

from response.imaging.adc import AdcMap
from response.io.dicom_files import open_dicom, quiet_pydicom
from response.io.dicom_values import items, number, text
from response.io.image_files import is_image_file, read_image_file
from response.io.images import read_series
from response.io.paired_series import is_adc
from response.io.planes import TAGS, Elements, planes_of

_FACTORS: Final[Mapping[str, float]] = {
    "mm2/s": 1e3,
    "um2/ms": 1.0,
    "10-3.mm2/s": 1.0,
    "um2/s": 1e-3,
    "10-6.mm2/s": 1e-3,
    "m2/s": 1e9,
}  # to 10^-3 mm2/s


def read_adc_map(paths: Sequence[Path]) -> AdcMap:
    """Return the map that the files of one series hold, or an image file.

    Where a series holds other images too, those whose ImageType says ADC are read. A real world value mapping that is
    the same for all slices is applied; without one the modality values stay what they are, and their unit is unknown.

    Raises
    ------
    InputError
        As `images.read_series` and `image_files.read_image_file`.
    """
    if is_image_file(paths[0]):
        volume = read_image_file(paths[0])
        return AdcMap(volume=replace(volume, acquisition=replace(volume.acquisition, modality="MR")))
    tags = (*TAGS, "RealWorldValueMappingSequence")
    with quiet_pydicom():
        planes = [plane.elements for path in paths for plane in planes_of(open_dicom(path, tags=tags))]
        maps = [elements for elements in planes if is_adc(elements)]
        scales = {_scale(elements) for elements in maps or planes}
    volume = read_series(paths, instances=lambda: {elements.text("SOPInstanceUID") for elements in maps})
    scale = scales.pop() if len(scales) == 1 else None
    if scale is None:
        return AdcMap(volume=volume)
    slope, intercept, factor = scale
    return AdcMap(volume=replace(volume, voxels=volume.voxels * slope + intercept), factor=factor)


def _scale(elements: Elements) -> tuple[float, float, float] | None:
    """Return slope and intercept from modality values to real world values, and the factor of their unit."""
    for mapping in elements.items("RealWorldValueMappingSequence"):
        units = [text(item, "CodeValue") for item in items(mapping, "MeasurementUnitsCodeSequence")[:1]]
        slope, intercept = (number(mapping, f"RealWorldValue{name}") for name in ("Slope", "Intercept"))
        if units and units[0] in _FACTORS and isfinite(slope) and isfinite(intercept):
            # stored value = (modality value - rescale intercept) / rescale slope
            rescale_slope, rescale_intercept = (
                (*elements.decimals(keyword), usual)[0]
                for keyword, usual in (("RescaleSlope", 1.0), ("RescaleIntercept", 0.0))
            )
            slope /= rescale_slope
            return slope, intercept - slope * rescale_intercept, _FACTORS[units[0]]
    return None
