"""The columns of the tables of a trial: names, types, units, words, and what each means.

One row of the measurements is one lesion at one timepoint as one evaluator saw it. Beside them stand the visit table,
the subject table and the collected responses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

import numpy as np

from response.cells import LARGEST_MM, LARGEST_MM3, THOUSAND, Whole
from response.vocabulary import (
    Ancillary,
    Clinical,
    Cytology,
    EnhancementChange,
    LesionType,
    LocalTreatment,
    Markers,
    Marrow,
    Nodule,
    PathologyClass,
    PetCorrelate,
    PetResult,
    Role,
    State,
    Tissue,
    Trend,
    VascularPattern,
    VisitNewLesions,
    YesNo,
    ZoneEnhancement,
)

Kind = Literal["text", "code", "number", "date"]


@dataclass(frozen=True)
class Column:
    """One canonical column.

    Attributes
    ----------
    kind
        `text`; `code`: a member of `words`; `number`: kept as whole thousandths; `date`: may be partial.
    meaning
        For the data dictionary.
    required
        Whether a table without it is refused.
    words
        The enum of a `code` column.
    largest
        Largest plausible number.
    negative
        Whether a number may be negative.
    integer
        Whether a number must be whole: a count, a score.
    length
        Whether the `unit` of the row applies.
    """

    kind: Kind
    meaning: str
    required: bool = False
    words: type[IntEnum] | None = None
    largest: int | None = None
    negative: bool = False
    integer: bool = False
    length: bool = False

    @property
    def whole(self) -> type[Whole]:
        """Type of the whole thousandths: 32 bits, which are half the memory, or 64 where numbers may be too large."""
        fits = self.largest is not None and self.largest * THOUSAND <= np.iinfo(np.int32).max
        return np.int32 if fits else np.int64


def _length(meaning: str) -> Column:
    return Column("number", meaning, largest=LARGEST_MM, length=True)


def _ancillary(meaning: str) -> Column:
    return Column(
        "code",
        f"{meaning}: absent, present, or against baseline new, increased, stable, decreased; not_evaluable",
        words=Ancillary,
    )


COLUMNS: Final[Mapping[str, Column]] = {
    "subject": Column("text", "subject id", required=True),
    "evaluator": Column("text", "who read it; a series is subject x evaluator"),
    "accepted": Column("code", "Y: the read that adjudication accepted", words=YesNo),
    "timepoint": Column("text", "number or label of the visit; where dates exist they decide the order", required=True),
    "date": Column("date", "scan date, ISO, may be partial"),
    "baseline": Column("code", "Y marks the baseline timepoint", words=YesNo),
    "lesion": Column("text", "stable id of the lesion within the series", required=True),
    "role": Column("code", "target, non_target, new or candidate", required=True, words=Role),
    "organ": Column("text", "organ; left and right, and all nodal stations, count as one organ each"),
    "location": Column("text", "free text for people"),
    "nodal": Column("code", "Y: a lymph node, its short axis counts; derived from organ where absent", words=YesNo),
    "lesion_type": Column("code", "kind of lesion, for measurability", words=LesionType),
    "previously_treated": Column("code", "locally treated before baseline", words=LocalTreatment),
    "local_therapy": Column("date", "treated locally on study on this date; not evaluable from then on"),
    "state": Column("code", "state of the lesion at this timepoint; it wins over a number", words=State),
    "trend": Column("code", "against the last assessment", words=Trend),
    "longest_mm": _length("longest diameter in mm"),
    "short_mm": _length("longest perpendicular (short axis) in mm; counts for nodes"),
    "diameter_mm": _length("the diameter that counts (short axis for nodes), where a table has only one"),
    "viable_mm": _length("longest enhancing diameter in mm (mRECIST)"),
    "viable_short_mm": _length("longest perpendicular to viable_mm within the enhancing tissue, in mm (EASL)"),
    "unit": Column("text", "unit of the lengths of the row: mm or cm"),
    "attenuation_hu": Column("number", "mean attenuation of the whole-lesion ROI in HU", largest=5000, negative=True),
    "area_mm2": Column("number", "area of the ROI in mm2", largest=2_000_000),
    "viable_area_mm2": Column("number", "area of the enhancing tissue in mm2 (EASL)", largest=2_000_000),
    "viable_volume_mm3": Column("number", "volume of the enhancing tissue in mm3 (qEASL)", largest=LARGEST_MM3),
    "nodule": Column("code", "intratumoral nodule (Choi)", words=Nodule),
    "morphology": Column("text", "Chun group 1, 2 or 3"),
    "vascular_pattern": Column("code", "new liver nodule: typical or atypical of HCC (mRECIST)", words=VascularPattern),
    "cytology": Column("code", "fluid: negative, positive or not_done (mRECIST)", words=Cytology),
    "injected": Column("code", "Y: injected at this timepoint, or chosen for it at baseline (itRECIST)", words=YesNo),
    "ablation_zone_mm": _length("longest diameter of the ablation zone in mm"),
    "ablation_margin_mm": _length("smallest distance from the tumour to the border of the ablation zone in mm"),
    "zone_enhancement": Column("code", "in or at the ablation zone: none, thin_rim or nodular", words=ZoneEnhancement),
    "enhancement_change": Column(
        "code", "enhancement that is back: none, fill_in or new_enhancement (SACT, MASS)", words=EnhancementChange
    ),
    "tissue": Column("code", "what of a glioma is measured: enhancing or non_enhancing (RANO)", words=Tissue),
    "sul_peak": Column("number", "SULpeak of FDG: lean body mass, sphere of 1 cm3 (PERCIST)", largest=500),
    "tlg": Column("number", "total lesion glycolysis: mean SUL times volume in ml (PERCIST)", largest=2_000_000),
    "suv": Column("number", "SUV of FDG in the region of the lesion, by body surface area (EORTC)", largest=500),
    "parent": Column("text", "lesion that this fragment split from, or into which this one merged"),
    "volume_mm3": Column("number", "volume in mm3", largest=LARGEST_MM3),
    "extent_lr_mm": _length("extent from left to right of the patient in mm (sarcoma)"),
    "extent_ap_mm": _length("extent from front to back in mm"),
    "extent_cc_mm": _length("extent from head to foot in mm"),
    "necrosis_fraction": Column("number", "non-enhancing share of the volume, 0 to 1", largest=1),
    "viable_fraction": Column("number", "enhancing share of the volume, 0 to 1", largest=1),
    "calcified_fraction": Column(
        "number", "share of the volume above the threshold of calcification, 0 to 1", largest=1
    ),
    "haemorrhage_fraction": Column("number", "share of the volume that is haemorrhage, 0 to 1", largest=1),
    "dense_parts_method": Column("text", "how calcified_fraction and haemorrhage_fraction were measured"),
    "necrosis_method": Column("text", "how necrosis_fraction was measured: threshold, phase, by eye"),
    "attenuation_sd_hu": Column("number", "standard deviation of attenuation in the ROI in HU", largest=5000),
    "enhancement_hu": Column(
        "number", "attenuation with contrast less that without, in HU", largest=5000, negative=True
    ),
    "relative_enhancement_percent": Column(
        "number", "MR: rise of signal by contrast medium, in percent of that without", largest=10_000, negative=True
    ),
    "adc": Column("number", "MR: mean apparent diffusion coefficient in 10^-3 mm2/s", largest=10),
    "necrosis_finding": _ancillary("necrosis"),
    "fibrosis_finding": _ancillary("fibrosis (capsular retraction, dark on T2)"),
    "cystic_finding": _ancillary("cystic change"),
    "calcification_finding": _ancillary("calcification"),
    "haemorrhage_finding": _ancillary("haemorrhage"),
    "interface_finding": _ancillary("sharp interface of tumour and liver (increased: sharper)"),
    "rim_finding": _ancillary("thick enhancing rim"),
    "fat_finding": _ancillary("fat"),
    "enhancement_finding": _ancillary("enhancement"),
    "pathology_viable_percent": Column("number", "viable cells in the specimen of the lesion, in percent", largest=100),
    "pathology_class": Column("code", "class of viable cells, A to E (EORTC-STBSG)", words=PathologyClass),
    "modality": Column("text", "CT, MR, PET, X-ray, clinical, US ..."),
    "phase": Column("text", "contrast phase"),
    "slice_thickness_mm": Column("number", "slice thickness (or interval, if larger) in mm", largest=100),
    "ct_correlate": Column("code", "what CT shows at a PET-positive site", words=PetCorrelate),
    "reason": Column("text", "why not evaluable"),
    "source": Column("text", "file and line, or SOP Instance UID, of the row"),
}

# What measuring on images and reading of DICOM reports add: kept as text beside the others, and never scored.
IMAGING_COLUMNS: Final[Mapping[str, str]] = {
    "longest_from": "first end of the longest diameter, [x y z] in mm, patient coordinates (LPS)",
    "longest_to": "its second end",
    "short_from": "first end of the perpendicular",
    "short_to": "its second end",
    "diameter_convention": "where the border of the lesion was taken (option of `measure`)",
    "diameter_notes": "what to know about the diameters: a chord leaves the lesion, components of a slice ...",
    "slice_position_mm": "position of the measured slice along the normal of the slices",
    "slice_interval_mm": "distance of the slices",
    "sop_instance_uid": "image on which the diameters were measured",
    "sop_class_uid": "its SOP class",
    "frame_number": "its frame, of a multi-frame image",
    "series_instance_uid": "series of the image",
    "study_instance_uid": "study of the image",
    "frame_of_reference_uid": "frame of reference of the coordinates",
    "tracking_id": "tracking identifier of the source",
    "tracking_uid": "tracking unique identifier of the source",
    "segment_number": "segment, label value or ROI number of the source",
    "segmentation_uid": "segmentation that a report was made on (SOP Instance UID)",
    "replaces_uid": "reports that this one replaces (SOP Instance UIDs)",
    "structure": "organ: a structure that is no lesion and has no role",
    "voxels": "number of voxels of the lesion",
    "components": "number of separate parts of the lesion (3D)",
    "ellipsoid_volume_mm3": "pi / 6 times the product of the three extents",
    "unenhanced_series_uid": "series without contrast medium that was measured beside it",
    "adc_series_uid": "series of the ADC map",
    "attenuation_roi": "where attenuation was measured (option of `measure`)",
    "attenuation_median_hu": "median attenuation",
    "attenuation_min_hu": "smallest attenuation",
    "attenuation_max_hu": "largest attenuation",
    "attenuation_p10_hu": "10th percentile of attenuation",
    "attenuation_p90_hu": "90th percentile of attenuation",
    "attenuation_voxels": "number of voxels of the ROI",
    "signal_mean": "mean of the values of the ROI where they are no HU (MR, PET, or an image of unknown modality)",
    "signal_sd": "their standard deviation",
    "signal_median": "their median",
    "signal_min": "the smallest",
    "signal_max": "the largest",
    "signal_p10": "their 10th percentile",
    "signal_p90": "their 90th percentile",
    "image_notes": "what to know about the numbers beside the diameters",
    "kvp": "peak tube voltage in kV",
    "kernel": "convolution kernel",
    "mr_sequence": "sequence of MR",
    "scanner": "manufacturer and model",
    "comparable": "yes, or what differs in the acquisition from the first timepoint of the lesion",
    "measurable": "yes, or why not at baseline (RECIST 1.1, section 3.1)",
    "morphology_suggested": "suggested Chun group; never used unless asked for",
    "morphology_votes": "its three votes: attenuation, interface, rim",
    "morphology_distance": "smallest distance of a vote to its cut-off, relative",
    "morphology_numbers": "the numbers behind the votes",
    "observer": "who measured, as the source says",
}

VISIT_COLUMNS: Final[Mapping[str, Column]] = {
    "subject": Column("text", "subject id", required=True),
    "evaluator": Column("text", "who read it; blank: all evaluators of the subject"),
    "timepoint": Column("text", "as in the measurement table", required=True),
    "date": Column("date", "date of the visit"),
    "baseline": Column("code", "Y marks the baseline timepoint", words=YesNo),
    "done": Column("code", "N: the visit was missed", words=YesNo),
    "unscheduled": Column("code", "Y: not in the schedule", words=YesNo),
    "new_lesions": Column("code", "none, equivocal, unequivocal or not_evaluable", words=VisitNewLesions),
    "organs_imaged": Column("text", "organs that were imaged, separated by ;"),
    "clinical": Column("code", "stable or deteriorated", words=Clinical),
    "new_symptom": Column("code", "Y: a new symptom or sign", words=YesNo),
    "pet": Column("code", "FDG-PET: negative, positive or not_done", words=PetResult),
    "markers": Column("code", "tumour markers: normal, above or not_done", words=Markers),
    "liver_sul_mean": Column("number", "mean SUL of the liver, sphere of 3 cm (PERCIST)", largest=100),
    "liver_sul_sd": Column("number", "its standard deviation", largest=100),
    "blood_pool_sul_mean": Column(
        "number", "mean SUL of the aorta, where the liver is diseased (PERCIST)", largest=100
    ),
    "blood_pool_sul_sd": Column("number", "its standard deviation", largest=100),
    "uptake_minutes": Column("number", "minutes from injection of FDG to the scan (PERCIST)", largest=1440),
    "steroid_mg": Column("number", "daily corticosteroids as mg of dexamethasone, replacement left out", largest=1000),
    "bone_lesions": Column("number", "number of lesions on the bone scan (PCWG3)", largest=10_000, integer=True),
    "new_bone_lesions": Column(
        "number", "those of them that the baseline bone scan did not show", largest=10_000, integer=True
    ),
    "psa": Column("number", "prostate-specific antigen in ng/mL (PCWG3)", largest=2_000_000),
    "spleen_mm": _length("length of the spleen, head to foot, in mm (Lugano)"),
    "peritoneal_index": Column(
        "number", "peritoneal cancer index: 13 regions of 0 to 3 each (Sugarbaker)", largest=39, integer=True
    ),
    "marrow": Column("code", "bone marrow: negative, positive, indeterminate or not_done (Lugano)", words=Marrow),
    "reason": Column("text", "why missed or not evaluable"),
}

SUBJECT_COLUMNS: Final[Mapping[str, Column]] = {
    "subject": Column("text", "subject id", required=True),
    "study": Column("text", "study id"),
    "site": Column("text", "site"),
    "arm": Column("text", "treatment arm"),
    "tumour_type": Column("text", "tumour type"),
    "treatment": Column("text", "treatment"),
    "setting": Column("text", "neoadjuvant, palliative, surveillance ..., for people"),
    "treatment_start": Column("date", "first day of treatment"),
    "randomisation": Column("date", "date of randomisation"),
    "radiotherapy_end": Column("date", "last day of radiotherapy: of the brain (RANO), of a sarcoma"),
    "treatment_end": Column("date", "last day of treatment"),
    "new_therapy": Column("date", "first day of a new anti-cancer therapy"),
    "clinical_progression": Column("date", "date of clinical progression"),
    "death": Column("date", "date of death"),
    "last_known_alive": Column("date", "last day known alive"),
    "data_cutoff": Column("date", "data cut-off"),
}

COLLECTED_COLUMNS: Final[Mapping[str, Column]] = {
    "subject": Column("text", "subject id", required=True),
    "evaluator": Column("text", "who read it"),
    "accepted": Column("code", "Y: the read that adjudication accepted", words=YesNo),
    "timepoint": Column("text", "as in the measurement table; blank on a row per subject"),
    "date": Column("date", "date of the assessment"),
    "criterion": Column("text", "criterion; blank: RECIST 1.1"),
    "target": Column("text", "collected target response"),
    "non_target": Column("text", "collected non-target response"),
    "new_lesion": Column("text", "collected new lesions"),
    "overall": Column("text", "collected overall response"),
    "sum_mm": Column("number", "collected sum of diameters in mm", largest=10 * LARGEST_MM),
    "best_response": Column("text", "collected best overall response"),
    "progression_date": Column("date", "collected date of progression"),
}
