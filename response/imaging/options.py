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
    file_modality: str = option(
        "",
        "modality of NIfTI, NRRD and MHA images, which do not record it, where neither the table of pairs nor the name "
        "says it; only values of CT are HU",
        choices=("", "CT", "MR", "PT"),
    )
    viable: str = option(
        "arterial",
        "when the longest viable diameter (mRECIST) is measured: on CT of the arterial phase, always, or never",
        choices=("arterial", "always", "never"),
    )
    suggest_morphology: str = option(
        "liver",
        "when a Chun group is suggested: for lesions of the liver, always, or never",
        choices=("liver", "always", "never"),
    )
    necrosis_hu: int = option(
        30,
        "voxels below this HU do not enhance (ESSR 2024 names the non-enhancing share; the HU are a choice of this "
        "program for the portal venous phase)",
    )
    viable_hu: int = option(
        60,
        "tissue at or above this HU enhances (mRECIST gives no HU; necrosis and unenhanced tumour have 20 to 55 HU, "
        "arterially enhancing tumour 80 and more)",
    )
    viable_smoothing_mm: float = option(
        1.0, "standard deviation in mm of the smoothing before `viable_hu` is asked; 0: none", minimum=0
    )
    viable_island_mm: float = option(
        3.0,
        "necrosis smaller than a disc of this diameter in mm is no major intervening area, and enhancement of that "
        "size is not measured (mRECIST; the size is a choice of this program)",
        minimum=0,
    )
    chun_smoothing_mm: float = option(
        1.0,
        "standard deviation in mm of the smoothing before heterogeneity is measured, of lesion and liver alike: at the "
        "size of a pixel there is noise alone",
        minimum=0,
    )
    chun_homogeneous: float = option(
        1.5, "a lesion is homogeneous if the SD of its core is at most so many times that of the liver", minimum=0
    )
    chun_heterogeneous: float = option(2.0, "heterogeneous if it is above this; mixed between the two", minimum=0)
    chun_noise_floor_hu: float = option(
        5.0, "an SD of the liver below this counts as this: smaller differences are not seen by a reader", minimum=0
    )
    chun_core_mm: float = option(
        2.0, "the core of a lesion is at least so deep below its border, in mm, and deeper in larger lesions", minimum=0
    )
    chun_low_contrast_hu: float = option(
        30.0, "hypoattenuating if the core is darker than the liver by this", minimum=0
    )
    chun_low_hu: float = option(60.0, "and if the core has at most this HU")
    chun_cyst_hu: float = option(30.0, "cyst-like if the core has at most this HU")
    chun_lesion_gap_mm: float = option(5.0, "distance in mm of the liver reference from all lesions", minimum=0)
    chun_vessel_hu: float = option(
        20.0, "what differs from the liver by this, averaged over 3 mm, is vessel, fissure or fat", minimum=0
    )
    chun_blur_mm: float = option(
        3.0,
        "the border is looked at where a perfect edge would be at most so wide in mm, by pixels and slices",
        minimum=0,
    )
    chun_sharp_mm: float = option(4.0, "the border is sharp where its width from 10 to 90 % is at most this", minimum=0)
    chun_contrast_hu: float = option(15.0, "and where lesion and liver differ by at least this", minimum=0)
    chun_contrast_share: float = option(
        0.6, "and by at least this share of what the core differs from the liver: smaller steps are texture", minimum=0
    )
    chun_sharp_share: float = option(0.7, "the interface is sharp from this share of sharp border on", minimum=0)
    chun_ill_defined_share: float = option(0.3, "it is ill-defined up to this share; variable between", minimum=0)
    chun_rim_hu: float = option(20.0, "a rim is brighter than the core by this", minimum=0)
    chun_rim_peak_hu: float = option(
        10.0, "and its peak brighter than the liver beside it by this, else it is partial volume", minimum=0
    )
    chun_rim_share: float = option(0.25, "a rim is present from this share of the border on", minimum=0)
    chun_thickest_slice_mm: float = option(5.0, "no group is suggested on thicker slices", minimum=0)
    chun_smallest_mm: float = option(10.0, "no group is suggested for smaller lesions (longest diameter)", minimum=0)
