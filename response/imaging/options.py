"""Options of measuring on images: `[measure]` of a protocol file; they are saved with every measurement."""

from dataclasses import dataclass
from typing import Final

from response.protocol import Options, option

CONVENTIONS: Final = ("contour", "pixel_centres", "pixel_edges")


@dataclass(frozen=True, kw_only=True)
class MeasureOptions(Options):
    """How lesions are measured on images."""

    diameter_convention: str = option(
        "contour",
        "where a lesion ends: the sub-pixel contour of its smoothed mask, the centres of its border pixels, or their "
        "outer edges; timepoints measured by different conventions must not be compared",
        choices=CONVENTIONS,
    )
    chords_inside: bool = option(
        False, "whether a diameter must stay within a concave lesion; else one that leaves it is flagged"
    )
    attenuation_roi: str = option(
        "volume",
        "where attenuation is measured: the whole lesion, or its section with the longest diameter (Choi 2007)",
        choices=("volume", "largest_section"),
    )
    calcification_hu: int = option(
        130, "calcification on CT without contrast medium: this HU and above (Agatston 1990)", minimum=0
    )
    calcification_enhanced_hu: int = option(
        300,
        "calcification on CT with contrast medium, or where that is not known: clearly above the vessels of the portal "
        "venous phase (120 to 200 HU); in the arterial phase vessels may reach it",
        minimum=0,
    )
    exclude_calcification: bool = option(
        False,
        "whether calcified voxels are left out of the attenuation, for they raise it without any growth of tumour "
        "(Choi); their share is told always",
        choices=(True, False),
    )
