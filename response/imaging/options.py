"""Options of measuring on images: `[measure]` of a protocol file; they are saved with every measurement."""

from dataclasses import dataclass
from typing import Any, Final

from response.protocol import Options, option

_OWN: Final = "; a choice of this program, for Chun 2009 gives words and no numbers"

CONVENTIONS: Final = ("contour", "pixel_centres", "mid_edges", "pixel_edges")


def _chun(default: float, doc: str) -> Any:
    """Declare a number of the suggested Chun group."""
    return option(default, doc + _OWN, minimum=0)


@dataclass(frozen=True, kw_only=True)
class MeasureOptions(Options):
    """How lesions are measured on images."""

    diameter_convention: str = option(
        "contour",
        "where a lesion ends: a smoothed contour between its border pixels and their outer edges, the centres of these "
        "pixels (SimpleITK), the middles of their outer edges (pyradiomics), or the corners of these; timepoints "
        "measured by different conventions must not be compared",
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
    haemorrhage_hu: int = option(
        60,
        "haemorrhage on CT without contrast medium: above this HU, and below calcification (a choice of this program)",
        minimum=0,
    )
    haemorrhage_smoothing_mm: float = option(
        1.0, "standard deviation in mm of the smoothing before `haemorrhage_hu` is asked; 0: none", minimum=0
    )
    exclude_haemorrhage: bool = option(
        False,
        "whether haemorrhage, where a series without contrast medium tells it, is left out of the attenuation (Choi); "
        "its share is told always",
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
    border_maps: bool = option(
        False,
        "whether the map of the border is kept of each lesion for which a Chun group is looked for; `measure "
        "--border-maps` sets it, and writes the maps",
        choices=(True, False),
    )
    necrosis_hu: int = option(
        30,
        "voxels below this HU do not enhance (ESSR 2024 names the non-enhancing share; the HU are a choice of this "
        "program for the portal venous phase)",
    )
    necrosis_enhancement_hu: int = option(
        10,
        "where a series without contrast medium stands beside it, what does not enhance must also rise by less than "
        "this HU (10 in HCC, Abdom Imaging 2014;39:1247; 15 in lung nodules, Radiology 2000;214:73)",
        minimum=0,
    )
    necrosis_enhancement_percent: int = option(
        10,
        "MR: voxels whose signal rises by less than so many percent of that without contrast medium do not enhance "
        "(ESSR 2024 names subtraction; the number is a choice of this program)",
        minimum=0,
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
    chun_smoothing_mm: float = _chun(
        1.0,
        "standard deviation in mm of the smoothing before heterogeneity is measured, of lesion and liver alike: at the "
        "size of a pixel there is noise alone",
    )
    chun_homogeneous: float = _chun(
        1.5, "a lesion is homogeneous if the SD of its core is at most so many times that of the liver"
    )
    chun_heterogeneous: float = _chun(2.0, "a lesion is heterogeneous above so many times, and mixed between")
    chun_noise_floor_hu: float = _chun(
        5.0, "an SD of the liver below this HU counts as this: smaller differences are not seen by a reader"
    )
    chun_core_mm: float = _chun(
        2.0, "the core of a lesion lies at least so many mm below its border; more where that has a rim or is gradual"
    )
    chun_low_contrast_hu: float = _chun(30.0, "hypoattenuating asks that the core is so many HU darker than the liver")
    chun_low_hu: float = _chun(60.0, "hypoattenuating asks that the core has at most so many HU")
    chun_cyst_hu: float = _chun(30.0, "a hypoattenuating core of at most so many HU is like a cyst")
    chun_lesion_gap_mm: float = _chun(5.0, "distance in mm of the liver reference from all lesions")
    chun_vessel_hu: float = _chun(
        20.0, "what differs from the liver by so many HU, averaged over 3 mm, is vessel, fissure or fat"
    )
    chun_blur_mm: float = _chun(
        3.0, "the border is looked at where pixels and slices make a perfect edge at most so many mm wide"
    )
    chun_sharp_mm: float = _chun(4.0, "the border is sharp where its width from 10 to 90 % is at most so many mm")
    chun_contrast_hu: float = _chun(15.0, "a sharp border asks that lesion and liver differ by so many HU")
    chun_contrast_share: float = _chun(
        0.6, "a sharp border asks for this share of what the core differs from the liver: smaller steps are texture"
    )
    chun_sharp_share: float = _chun(0.7, "the interface is sharp from this share of sharp border on")
    chun_ill_defined_share: float = _chun(
        0.3, "the interface is ill-defined up to this share of sharp border, and variable between"
    )
    chun_rim_hu: float = _chun(20.0, "a rim is so many HU brighter than the core")
    chun_rim_peak_hu: float = _chun(
        10.0, "a rim is so many HU brighter than the liver beside it at its peak, else it is partial volume"
    )
    chun_rim_share: float = _chun(0.25, "a rim is present from this share of the border on")
    chun_thickest_slice_mm: float = _chun(5.0, "no group is suggested on slices thicker, or farther apart, than this")
    chun_smallest_mm: float = _chun(10.0, "no group is suggested for lesions with a smaller longest diameter in mm")
