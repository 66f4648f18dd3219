"""Which column is which: canonical names, the aliases that tables in the field use, and units in headers.

Sources: public lesion tables (pyrecist, TrialMaster exports, OHIF and ePAD measurement exports) and the CDISC
SDTM names; an alias stands here only where it means one thing in all of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from response.columns import IMAGING_COLUMNS, Column
from response.errors import InputError
from response.vocabulary import folded

# Aliases are written without blanks, in lower case: "Lesion ID", lesion_id and LesionId are one.
ALIASES: Final[Mapping[str, str]] = {
    "subject": "usubjid subjid subjectid subjectno subjectnumber subj patient patientid patid patno patientno "
    "patientnumber pt ptid participant participantid caseid",
    "evaluator": "evaluatorid reader readerid reviewer radiologist rater assessor treval",
    "accepted": "acceptedread tracptfl acptfl",
    "timepoint": "visit visitnum visitname visitlabel visitid visitno visitnumber timepointid timepointname "
    "timepointlabel timepointnumber tp",
    "date": "studydate scandate scandt examdate imagingdate visitdate assessmentdate acquisitiondate measurementdate "
    "dateofscan dateofassessment currentdate trdtc rcdt",
    "baseline": "isbaseline baselineflag trblfl blfl",
    "lesion": "lesionid lesionlabel lesionlabelalias lesionno lesionnumber lesionname lesionnr label tumorid tumourid "
    "trlnkid lnkid trackingid trackingidentifier",
    "role": "lesioncategory lesionrole lesionclass category tuorres",
    "organ": "anatomicsite anatomicalsite anatomy organsite organsystem lesionsite bodysite tumorsite tumoursite "
    "rctlsite tuloc trloc",
    "location": "lesionlocation locationdetail anatomicallocation lesiondescription",
    "nodal": "isnodal isnode lymphnode node rctlnode",
    "local_therapy": "localtherapydate localtreatmentdate",
    "previously_treated": "previouslyirradiated priorradiation priorlocaltreatment",
    "state": "status lesionstatus lesionstate",
    "longest_mm": "longest ldiam ld longestdiameter longestdiam longdiameter longaxis longaxisdiameter longestaxis "
    "length maxdiameter maximumdiameter majoraxis",
    "short_mm": "short lperp sa sad saxis shortaxis shortaxisdiameter shortdiameter shortestdiameter width minoraxis "
    "perpendicular perpendiculardiameter",
    "diameter_mm": "diameter diam measurement measure size lesionsize lesiondiameter tumorsize tumoursize rctldiam",
    "viable_mm": "viable viablediameter enhancingdiameter",
    "viable_short_mm": "viableshort viableperpendicular enhancingperpendicular",
    "viable_area_mm2": "viablearea enhancingarea",
    "viable_volume_mm3": "viablevolume enhancingvolume",
    "ablation_zone_mm": "ablationzone ablationzonediameter",
    "ablation_margin_mm": "ablationmargin minimalmargin",
    "injected": "isinjected injectedlesion",
    "unit": "units lengthunit diameterunit measurementunit trorresu",
    "attenuation_hu": "hu meanhu humean attenuation meanattenuation ctattenuation density meandensity ctdensity "
    "hounsfield",
    "area_mm2": "area roiarea",
    "nodule": "intratumoralnodule intratumouralnodule",
    "morphology": "chun chungroup morphologygroup ctmorphology",
    "parent": "parentlesion splitfrom mergedinto",
    "volume_mm3": "volume",
    "necrosis_fraction": "necrosis necroticfraction",
    "modality": "imagingmodality method rctlmod trmethod",
    "phase": "contrastphase ctphase",
    "slice_thickness_mm": "slicethickness",
    "reason": "reasonnotevaluable nereason trreasnd",
    "done": "visitdone performed",
    "new_lesions": "newlesion anynewlesions",
    "clinical": "clinicalstatus",
    "peritoneal_index": "peritonealcancerindex",
    "study": "studyid",
    "site": "siteid sitenumber siteno centre center",
    "arm": "actarm treatmentarm",
    "tumour_type": "tumortype cancertype",
    "treatment_start": "treatmentstartdate startoftreatment firstdose firstdosedate rfxstdtc rfstdtc trtsdt",
    "randomisation": "randomization randomisationdate randomizationdate randdt",
    "treatment_end": "treatmentenddate endoftreatment lastdose lastdosedate rfxendtc rfendtc trtedt",
    "new_therapy": "newtherapydate newanticancertherapy",
    "clinical_progression": "clinicalprogressiondate",
    "death": "deathdate dateofdeath dthdtc dthdt",
    "last_known_alive": "lastknownalivedate lastalive lstalvdt",
    "data_cutoff": "cutoff cutoffdate datacutoffdate",
    "criterion": "criteria",
    "target": "targetresponse tlresponse trgresp rctlresp",
    "non_target": "nontargetresponse ntlresponse ntrgresp rcntlres",
    "new_lesion": "newlesions newlesionresponse newlprog rcnew",
    "overall": "response overallresponse timepointresponse globalresponse classification ovrlresp rcresp",
    "sum_mm": "sum sod sumofdiameters sumdiam currentburden rctlsum",
    "best_response": "bor bestoverallresponse",
    "progression_date": "dateofprogression pddate",
}

# Names of one standard for one thing, of which a table may well hold both: the first is taken.
COMPANIONS: Final = (
    ("usubjid", "subjid"),
    ("visit", "visitnum"),
    ("rfxstdtc", "rfstdtc"),
    ("rfxendtc", "rfendtc"),
)

_UNITS: Final[Mapping[str, str]] = {"mm2": "area", "mm3": "volume", "mm": "length", "cm": "length", "hu": "density"}


@dataclass(frozen=True)
class Meaning:
    """What a header means: the canonical column, and the unit that the header itself says (or empty)."""

    canonical: str
    unit: str = ""


def squeezed(name: str) -> str:
    """Return a header in lower case, only letters and figures: how aliases are compared."""
    return re.sub(r"\s", "", folded(name.replace("²", "2").replace("³", "3")))


class Names:
    """The names that one kind of table knows."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self.columns = columns
        self._by_alias = {
            alias: canonical
            for canonical, aliases in ALIASES.items()
            if canonical in columns
            for alias in aliases.split()
        }
        self._by_name = {squeezed(name): name for name in columns}
        self._imaging = {squeezed(name): name for name in IMAGING_COLUMNS} if "lesion" in columns else {}

    def meaning(self, header: str) -> Meaning | None:
        """Return what a header means, or None."""
        key = squeezed(header)
        if key in self._by_name:
            return Meaning(self._by_name[key], self._stated_unit(self._by_name[key]))
        if key in self._by_alias:
            return Meaning(self._by_alias[key])
        for unit, quantity in _UNITS.items():
            base = key.removesuffix(unit)
            canonical = self._by_alias.get(base) or self._by_name.get(base + "mm", "") if base != key else None
            if canonical and unit == "cm" and not self.columns[canonical].length:
                return None  # the unit of the row holds for diameters only
            if canonical and self._quantity(canonical) == quantity:
                return Meaning(canonical, unit)
        return None

    def imaging(self, header: str) -> str:
        """Return the imaging column that a header means, in a table of lesions; empty where it means none."""
        return self._imaging.get(squeezed(header), "")

    def knows(self, header: str) -> bool:
        """Return whether a header means something."""
        return self.meaning(header) is not None

    def closest(self, canonical: str, headers: Sequence[str]) -> list[str]:
        """Return the headers that look like a canonical column or one of its aliases."""
        by_key = {squeezed(header): header for header in headers}
        wanted = [squeezed(canonical), *ALIASES.get(canonical, "").split()]
        near = [key for word in wanted for key in get_close_matches(word, list(by_key), n=2, cutoff=0.75)]
        return [by_key[key] for key in dict.fromkeys(near)]

    def _stated_unit(self, canonical: str) -> str:
        return "mm" if self.columns[canonical].length else ""

    def _quantity(self, canonical: str) -> str:
        if self.columns[canonical].length or canonical.endswith("_mm"):
            return "length"
        return {"attenuation_hu": "density", "area_mm2": "area", "volume_mm3": "volume"}.get(canonical, "")


def meanings_of(file: str, headers: Sequence[str], names: Names, mapped: Mapping[str, str]) -> dict[str, Meaning]:
    """Return what each header means; headers that mean nothing known are left out.

    What is mapped explicitly comes first, then canonical names, then aliases.

    Parameters
    ----------
    file
        For messages.
    headers
        The headers of the table.
    names
        The names known.
    mapped
        Their header by canonical name, as the user mapped it.

    Raises
    ------
    InputError
        If a mapped header is not there, or two headers claim one canonical column.
    """
    found = _mapped_meanings(file, headers, names, mapped)
    taken = {meaning.canonical for meaning in found.values()}
    for header in headers:
        if header in names.columns and header not in found and header not in taken:
            found[header] = Meaning(header, "mm" if names.columns[header].length else "")
    taken = {meaning.canonical for meaning in found.values()}
    claims: dict[str, list[str]] = {}
    for header in headers:
        meaning = None if header in found else names.meaning(header)
        if meaning is not None and meaning.canonical not in taken:
            claims.setdefault(meaning.canonical, []).append(header)
    for canonical, claimants in claims.items():
        header = _only(file, canonical, claimants)
        found[header] = names.meaning(header) or Meaning(canonical)
    return found


def _mapped_meanings(file: str, headers: Sequence[str], names: Names, mapped: Mapping[str, str]) -> dict[str, Meaning]:
    found = {}
    for canonical, header in mapped.items():
        if canonical not in names.columns:
            near = get_close_matches(canonical, list(names.columns), n=3)
            raise InputError(
                "mapping", f"the unknown column '{canonical}'", f"one of {', '.join(near or names.columns)}", ""
            )
        if header not in headers:
            near = get_close_matches(header, headers, n=3)
            raise InputError(
                file,
                f"no column '{header}', which the mapping gives for {canonical}",
                f"one of {', '.join(near or headers[:20])}",
                "correct the mapping",
            )
        meaning = names.meaning(header)
        says_unit = meaning is not None and names.columns[canonical].length
        found[header] = Meaning(canonical, meaning.unit if meaning is not None and says_unit else "")
    return found


def _only(file: str, canonical: str, claimants: Sequence[str]) -> str:
    keys = {squeezed(header): header for header in claimants}
    for group in COMPANIONS:
        if len(keys) == len(claimants) > 1 and set(keys) <= set(group):
            return keys[min(keys, key=group.index)]
    if len(claimants) > 1:
        quoted = " and ".join(f"'{header}'" for header in claimants)
        raise InputError(
            file,
            f"the columns {quoted} could each be {canonical}",
            "one column for it",
            f'rename one, or say which in a mapping file: [columns] {canonical} = "{claimants[0]}"',
        )
    return claimants[0]
