"""Indications: what in a subject's tumour type and treatment speaks for a criterion beside RECIST 1.1.

`INDICATIONS` is the whole rule: a criterion is suggested where the tumour type has one of the words or codes and the
treatment one of the words (an empty list asks for none). Words are whole words of the text, in any case, with or
without a plural s; "tumor" reads as "tumour". Codes are those of ICD-10 (C18 stands for C18, C18.7 and C187) and of
ICD-O-3 morphology (8936 for 8936/3; only with its behaviour, for other numbers look alike). A word after "no", "prior"
and the like says that it is not so, and suggests nothing; no more does a treatment that the tumour is refractory to
(`suggestion`).
"""

from dataclasses import dataclass
from typing import Final


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
    column
        Number of the measurement table without which it is not suggested; empty: suggested all the same.
    """

    criterion: str
    source: str
    tumours: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    organ: str = ""
    column: str = ""


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
SARCOMA: Final = (
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
        tumours=SARCOMA,
        treatments=_ANTIANGIOGENIC,
        unless=_GIST,
        source=f"Tirumani et al., Cancer Imaging 2013;13:197-211; {_CHOI}",
    ),
    Indication(
        criterion="mri-choi",
        tumours=SARCOMA,
        unless=_GIST,
        column="relative_enhancement_percent",
        source="Gennaro et al., Crit Rev Oncol Hematol 2021;160:103309, after neoadjuvant treatment; without gain in "
        "JCOG0304: Tanaka et al., World J Surg Oncol 2018;16:162",
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
