"""Which criteria a subject's tumour type and treatment suggest, beside RECIST 1.1, which always stays.

`INDICATIONS` is the whole rule: a criterion is suggested where the tumour type has one of the words or codes and the
treatment one of the words (an empty list asks for none). Words are whole words of the text, in any case, with or
without a plural s; "tumor" reads as "tumour". Codes are those of ICD-10 (C18 stands for C18, C18.7 and C187) and of
ICD-O-3 morphology (8936 for 8936/3; only with its behaviour, for other numbers look alike). A word after "no", "prior"
and the like says that it is not so, and suggests nothing; no more does a treatment that the tumour is refractory to.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from response.findings import Finding
from response.registry import find_criterion
from response.timeline import NO_ROW
from response.vocabulary import folded, organ_of

if TYPE_CHECKING:
    from response.engine import Assessment
    from response.measurements import Records

FINDING: Final = "criterion_suggested"


@dataclass(frozen=True, kw_only=True)
class Indication:
    """What speaks for a criterion.

    Attributes
    ----------
    criterion
        Its name.
    tumours, treatments
        Words of which the tumour type and the treatment must have one; empty: any.
    codes
        Codes of the tumour type that are as good as its words.
    also
        Words of which the tumour type must have one too; empty: none.
    source
        The guideline, or the paper.
    unless
        Words of the tumour type that speak against it.
    organ
        Organ in which the subject must have a lesion; empty: anywhere.
    """

    criterion: str
    source: str
    tumours: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    organ: str = ""


_ESGAR: Final = "ESGAR Essentials on liver metastases, Eur Radiol 2025, doi:10.1007/s00330-025-11540-1"
_CHOI: Final = "Choi et al., J Clin Oncol 2007;25:1753-1759"
_CHUN: Final = f"Chun et al., JAMA 2009;302:2338-2344; {_ESGAR}"
_GIST: Final = (
    *("gist", "gastrointestinal stromal tumour", "gastro intestinal stromal tumour", "gi stromal tumour"),
    *("gastrointestinal stromal sarcoma", "stromal tumour of the stomach", "gastric stromal tumour"),
    "stromal tumour of stomach",
)
_COLORECTAL: Final = (
    *("colorectal", "colorectum", "colon", "colonic", "rectal", "rectum", "rectosigmoid", "sigmoid", "caecum"),
    *("caecal", "cecum", "cecal", "large bowel", "bowel cancer", "large intestine", "crc", "mcrc"),
)
_OTHER_OF_BOWEL: Final = (
    *(*_GIST, "small bowel", "anal", "neuroendocrine", "nec", "net", "pnet", "carcinoid", "lymphoma", "melanoma"),
    "sarcoma",
)
_SARCOMA: Final = (
    *("soft tissue sarcoma", "sts", "sarcoma of soft tissue", "leiomyosarcoma", "liposarcoma", "synovial sarcoma"),
    *("undifferentiated pleomorphic sarcoma", "ups", "angiosarcoma", "fibrosarcoma", "myxofibrosarcoma"),
    *("solitary fibrous tumour", "alveolar soft part sarcoma", "mpnst"),
)
_LYMPHOMA: Final = (
    *("lymphoma", "hodgkin", "dlbcl", "nhl", "bnhl", "chl", "pmbcl", "ptcl", "mcl", "mzl", "hgbl", "burkitt", "sll"),
    "small lymphocytic",
)
_LYMPHOMA_OF_BRAIN: Final = ("cns lymphoma", "central nervous system lymphoma", "pcnsl")
_GLIOMA: Final = (
    *("glioma", "glioblastoma", "gbm", "astrocytoma", "oligodendroglioma", "oligoastrocytoma"),
    "gliosarcoma",
)
_OF_BRAIN: Final = (
    *("brain metastases", "brain metastasis", "brain met", "cerebral metastases", "cerebral metastasis"),
    *(
        "metastases to the brain",
        "metastasis to the brain",
        "cns metastases",
        "cns metastasis",
        "intracranial metastases",
    ),
)
_PROSTATE: Final = (
    *("prostate", "prostatic", "crpc", "mcrpc", "nmcrpc", "hspc", "mhspc", "mcspc", "mhnpc"),
    "castration resistant",
)
_RENAL: Final = (
    *("rcc", "ccrcc", "mrcc", "renal cell", "renal cancer", "renal carcinoma", "renal clear cell"),
    *("kidney cancer", "kidney carcinoma", "clear cell carcinoma of the kidney", "hypernephroma"),
)
_IMMUNOTHERAPY: Final = (
    *("immunotherapy", "immunotherapie", "immuno oncology", "immunooncology", "immunotherapeutic", "io", "ici", "cpi"),
    *("checkpoint inhibitor", "checkpoint inhibition", "checkpoint blockade", "checkpoint blocker"),
    *("pd 1", "pd1", "apd1", "pd l1", "pdl1", "apdl1", "ctla 4", "ctla4", "lag 3", "lag3", "tigit"),
    *("adebrelimab", "atezolizumab", "avelumab", "benmelstobart", "botensilimab", "cadonilimab", "camrelizumab"),
    *("cemiplimab", "cosibelimab", "dostarlimab", "durvalumab", "envafolimab", "ipilimumab", "ivonescimab"),
    *("nivolumab", "pembrolizumab", "penpulimab", "prolgolimab", "pucotenlimab", "relatlimab", "retifanlimab"),
    *("serplulimab", "sintilimab", "socazolimab", "spartalizumab", "sugemalimab", "tagitanlimab", "tiragolumab"),
    *("tislelizumab", "toripalimab", "tremelimumab", "zimberelimab"),
    *("bavencio", "imfinzi", "imjudo", "jemperli", "keytruda", "libtayo", "loqtorzi", "opdivo", "opdualag"),
    *("tecentriq", "tevimbra", "yervoy", "zynyz"),
    *("atezo", "durva", "ipi", "nivo", "pembro", "treme"),
    *("aldesleukin", "interleukin 2", "il 2", "lifileucel", "tebentafusp", "tumour infiltrating lymphocyte"),
)
_ANTIANGIOGENIC: Final = (
    *("antiangiogenic", "anti angiogenic", "vegf", "vegfr", "tki", "tyrosine kinase inhibitor"),
    *("axitinib", "bevacizumab", "cabozantinib", "lenvatinib", "pazopanib", "regorafenib", "sorafenib", "sunitinib"),
    *("tivozanib", "avastin", "cabometyx", "fotivda", "inlyta", "lenvima", "nexavar", "stivarga", "sutent", "votrient"),
)

INDICATIONS: Final[tuple[Indication, ...]] = (
    Indication(criterion="choi", tumours=_GIST, codes=("C49.A", "8936"), source=f"{_CHOI}; {_ESGAR}"),
    Indication(
        criterion="choi",
        tumours=_SARCOMA,
        treatments=_ANTIANGIOGENIC,
        unless=_GIST,
        source=f"Tirumani et al., Cancer Imaging 2013;13:197-211; {_CHOI}",
    ),
    Indication(criterion="chun", tumours=("crlm", "clm", "crclm"), source=_CHUN),
    Indication(
        criterion="chun",
        tumours=_COLORECTAL,
        codes=("C18", "C19", "C20"),
        also=("liver", "hepatic", "c78 7"),
        unless=_OTHER_OF_BOWEL,
        source=_CHUN,
    ),
    Indication(
        criterion="chun",
        tumours=_COLORECTAL,
        codes=("C18", "C19", "C20"),
        unless=_OTHER_OF_BOWEL,
        organ="liver",
        source=_CHUN,
    ),
    Indication(
        criterion="mrecist",
        tumours=(
            *("hcc", "hepatocellular", "hepato cellular", "hepatoma", "liver cell carcinoma", "liver cell cancer"),
            "primary liver cancer",
        ),
        codes=("C22.0", "817"),
        source="EASL Clinical Practice Guidelines, J Hepatol 2018;69:182-236; "
        "Llovet & Lencioni, J Hepatol 2020;72:288-306",
    ),
    Indication(
        criterion="irecist",
        treatments=_IMMUNOTHERAPY,
        unless=(*_LYMPHOMA, *_LYMPHOMA_OF_BRAIN, *_GLIOMA),  # it is for solid tumours outside the brain
        source="RECIST working group: Seymour et al., Lancet Oncol 2017;18:e143-e152",
    ),
    Indication(
        criterion="lugano",
        tumours=_LYMPHOMA,
        codes=("C81", "C82", "C83", "C84", "C85", "C86", "959", "965", "966", "967", "968", "969", "970", "971"),
        unless=(*_LYMPHOMA_OF_BRAIN, "mycosis fungoides", "sezary"),
        source="Cheson et al., J Clin Oncol 2014;32:3059-3068",
    ),
    Indication(
        criterion="rano-2.0",
        tumours=_GLIOMA,
        codes=("C71", "9380", "9382", "9385", "940", "941", "942", "944", "945"),
        unless=(*_LYMPHOMA, *_OF_BRAIN, "medulloblastoma", "ependymoma", "meningioma"),
        source="Wen et al., J Clin Oncol 2023;41:5187-5199",
    ),
    Indication(
        criterion="rano-bm",
        tumours=_OF_BRAIN,
        codes=("C79.3",),
        source="Lin et al., Lancet Oncol 2015;16:e270-e278",
    ),
    Indication(
        criterion="pcwg3", tumours=_PROSTATE, codes=("C61",), source="Scher et al., J Clin Oncol 2016;34:1402-1418"
    ),
    Indication(
        criterion="mass",
        tumours=_RENAL,
        codes=("C64", "8310", "8312"),
        treatments=_ANTIANGIOGENIC,
        source="Smith et al., AJR Am J Roentgenol 2010;194:1470-1478",
    ),
    Indication(
        criterion="ablation",
        treatments=(
            *("thermal ablation", "tumour ablation", "percutaneous ablation", "radiofrequency", "microwave ablation"),
            *("microwave", "rfa", "mwa", "cryoablation", "irreversible electroporation"),
        ),
        source="Ahmed et al., Radiology 2014;273:241-260",
    ),
    Indication(
        criterion="itrecist",
        treatments=(
            *("intratumoral", "intratumoural", "intralesional", "t vec", "tvec", "talimogene laherparepvec"),
            *("talimogene", "imlygic"),
        ),
        source="Goldmacher et al., J Clin Oncol 2020;38:2667-2676",
    ),
)

# What comes before a word, and after it, and says that it is not so.
_NOT: Final = ("no", "not", "non", "without", "prior", "previous", "pre", "post", "after", "history of", "suspected")
_NOT_GIVEN: Final = (
    *(*_NOT, "previously treated with", "pretreated with", "refractory to", "resistant to", "intolerant to"),
    *("progressed on", "progression on", "failed", "failure of", "stopped", "discontinued"),
)
_NOT_GIVEN_AFTER: Final = (
    "naive",
    "free",
    "refractory",
    "resistant",
    "intolerant",
    "pretreated",
    "experienced",
    "failure",
)


def suggested(tumour_type: str, treatment: str) -> list[Indication]:
    """Return what a tumour type and a treatment, both free text, speak for; some only with a lesion in their organ."""
    tumour, given = _words(tumour_type), _words(treatment)
    return [
        item
        for item in INDICATIONS
        if (not item.tumours or _says(tumour, item.tumours) or _codes(tumour_type, item.codes))
        and (not item.also or _says(tumour, item.also))
        and (not item.treatments or _is_given(given, item.treatments))
        and not _says(tumour, item.unless)
    ]


def is_sarcoma(tumour_type: str) -> bool:
    """Return whether a tumour type, free text, is a sarcoma of soft tissue."""
    return _says(_words(tumour_type), ("sarcoma", *_SARCOMA))


def is_of_liver(tumour_type: str) -> bool:
    """Return whether lesions of the liver are no metastases: by hepatocellular carcinoma, or lymphoma."""
    return any(item.criterion in ("mrecist", "lugano") for item in suggested(tumour_type, ""))


def suggestion_findings(assessment: "Assessment") -> list[Finding]:
    """Return one finding per distinct tumour type, treatment and criterion, with the number of subjects."""
    subjects = assessment.timeline.measurements.subjects
    if subjects is None:
        return []
    found: list[Finding] = []
    for rows, tumour_type, treatment in _groups(subjects):
        chosen: dict[str, tuple[Indication, NDArray[np.intp]]] = {}
        for item in suggested(tumour_type, treatment):
            of_item = rows if not item.organ else rows[_with_lesion_in(item.organ, assessment, rows)]
            if len(of_item) and item.criterion not in chosen:
                chosen[item.criterion] = item, of_item
        found += [_finding(item, tumour_type, treatment, len(of_item), assessment) for item, of_item in chosen.values()]
    return found


def suggestion_lines(assessment: "Assessment", series: int) -> Iterator[str]:
    """Hand out a line for each criterion that the subject of a series suggests."""
    timeline = assessment.timeline
    subjects, row = timeline.measurements.subjects, int(timeline.series.subject_row[series])
    if subjects is None or row < 0:
        return
    tumour_type, treatment = (subjects.text_column(name).text(row) for name in ("tumour_type", "treatment"))
    told = set()
    for item in suggested(tumour_type, treatment):
        if item.criterion in told or (item.organ and not _seen_in(item.organ, assessment, series)):
            continue
        told.add(item.criterion)
        about = _about(item, tumour_type, treatment)
        title = find_criterion(item.criterion).title
        yield f"Suggested for {about} beside RECIST 1.1: {title} ({item.source}); {_whether(item, assessment)}"


# --- words


def _words(text: str) -> str:
    return re.sub(r"\btumor", "tumour", folded(text))


def _says(text: str, words: tuple[str, ...]) -> bool:
    return bool(words) and _pattern(words, _NOT, ()).search(text) is not None


def _is_given(text: str, words: tuple[str, ...]) -> bool:
    return _pattern(words, _NOT_GIVEN, _NOT_GIVEN_AFTER).search(text) is not None


def _codes(text: str, codes: tuple[str, ...]) -> bool:
    return bool(codes) and _code_pattern(codes).search(text) is not None


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...], before: tuple[str, ...], after: tuple[str, ...]) -> re.Pattern[str]:
    denied = "".join(rf"(?<!\b{word} )" for word in before)
    denied_after = rf"(?! (?:{'|'.join(after)})\b)" if after else ""
    return re.compile(rf"{denied}\b(?:{'|'.join(map(re.escape, words))})s?\b{denied_after}")


@lru_cache(maxsize=64)
def _code_pattern(codes: tuple[str, ...]) -> re.Pattern[str]:
    """Return the pattern of codes: a letter begins one of ICD-10, of which more figures may follow; else ICD-O-3."""
    sites = [re.escape(code).replace(r"\.", r"\.?") for code in codes if code[0].isalpha()]
    kinds = [rf"{code}\d{{{4 - len(code)}}}/\d" for code in codes if code[0].isdigit()]
    parts = [*(rf"{site}(?:\.?\w{{1,2}})?" for site in sites), *(rf"M?-?{kind}" for kind in kinds)]
    return re.compile(rf"\b(?:{'|'.join(parts)})\b", re.IGNORECASE)


# --- subjects


def _groups(subjects: "Records") -> list[tuple[NDArray[np.intp], str, str]]:
    """Return the rows of the subject table with each tumour type and treatment, and how the first one writes them."""
    tumours, treatments = (subjects.text_column(name) for name in ("tumour_type", "treatment"))
    keys = []
    for column in (tumours, treatments):
        index: dict[str, int] = {}
        keys.append(np.asarray([index.setdefault(_words(text), len(index)) for text in column.values], np.int64))
    joint = keys[0][tumours.codes] * (len(treatments.values) + 1) + keys[1][treatments.codes]
    _, first, place = np.unique(joint, return_index=True, return_inverse=True)
    order = np.argsort(place, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(place, minlength=len(first)))[:-1]) if len(first) else []
    groups = [(rows, tumours.text(int(rows[0])), treatments.text(int(rows[0]))) for rows in parts]
    return sorted(groups, key=lambda group: (_words(group[1]), _words(group[2])))


def _with_lesion_in(organ: str, assessment: "Assessment", rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which subjects, rows of the subject table, have a lesion in an organ."""
    measured = assessment.timeline.measurements
    named, organs = measured.text_column("subject"), measured.text_column("organ")
    there = np.asarray([organ_of(text) == organ for text in organs.values], np.bool_)[organs.codes]
    ids = {named.values[code] for code in np.unique(named.codes[there]).tolist()}
    assert measured.subjects is not None
    of_row = measured.subjects.text_column("subject")
    return np.asarray([of_row.text(int(row)) in ids for row in rows], np.bool_)


def _seen_in(organ: str, assessment: "Assessment", series: int) -> bool:
    timeline = assessment.timeline
    tracks = slice(int(timeline.track_start[series]), int(timeline.track_start[series + 1]))
    rows = timeline.row[int(timeline.spot_start[tracks.start]) : int(timeline.spot_start[tracks.stop])]
    organs = timeline.measurements.text_column("organ")
    return any(organ_of(organs.text(row)) == organ for row in rows[rows != NO_ROW].tolist())


# --- what is told


def _finding(item: Indication, tumour_type: str, treatment: str, count: int, assessment: "Assessment") -> Finding:
    criterion = find_criterion(item.criterion)
    counted = f"{count} subject{'' if count == 1 else 's'}"
    needs = f"; it needs the column {criterion.needs}" if criterion.needs else ""
    asks = f"To see both, ask for it (--criteria {item.criterion}){needs}. RECIST 1.1 stays."
    both = "Read both side by side; RECIST 1.1 stays."
    texts = "; ".join(text for text in (tumour_type, treatment) if text)
    return Finding(
        id=FINDING,
        severity="info",
        column="tumour_type" if item.tumours else "treatment",
        found=f"{criterion.title} for {texts}: {counted}, {_whether(item, assessment)}",
        expected=f"{criterion.title} beside RECIST 1.1",
        sentence=f"{_capital(_about(item, tumour_type, treatment))} ({counted}) suggests {criterion.title} beside "
        f"RECIST 1.1 ({item.source}); it was {_whether(item, assessment)}.",
        remedy=both if item.criterion in assessment.results else asks,
    )


def _about(item: Indication, tumour_type: str, treatment: str) -> str:
    told = [f"tumour type '{tumour_type}'"] if item.tumours else []
    told += [f"treatment '{treatment}'"] if item.treatments else []
    return " with ".join(told)


def _whether(item: Indication, assessment: "Assessment") -> str:
    return "assessed in this run" if item.criterion in assessment.results else "not assessed in this run"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


__all__ = [
    "FINDING",
    "INDICATIONS",
    "Indication",
    "is_of_liver",
    "is_sarcoma",
    "suggested",
    "suggestion_findings",
    "suggestion_lines",
]
