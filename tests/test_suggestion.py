"""What tumour type and treatment suggest beside RECIST 1.1."""

import pytest

from response import Assessment
from response.findings import Finding
from response.indications import INDICATIONS
from response.registry import BUILT_IN, find_criterion
from response.report.explain import explain
from response.suggestion import is_of_liver, is_sarcoma, suggested, suggestion_findings
from response.vocabulary import folded
from tests.trials import from_rows, target


@pytest.mark.parametrize(
    ("tumour_type", "treatment", "criteria"),
    [
        ("GIST", "imatinib", ["choi"]),
        ("Gastrointestinal stromal tumor", "", ["choi"]),
        ("gastro-intestinal stroma", "", []),
        ("metastatic GISTs", "", ["choi"]),
        ("Non-GIST sarcoma", "", []),
        ("digist", "", []),  # whole words only
        ("gistology", "", []),
        ("colorectal liver metastases", "FOLFOX", ["chun", "chun"]),
        ("CRLM", "", ["chun"]),
        ("colon carcinoma", "", ["chun"]),  # with a lesion in the liver
        ("HCC", "sorafenib", ["mrecist"]),
        ("hepatocellular carcinoma", "atezolizumab + bevacizumab", ["mrecist", "irecist"]),
        ("NSCLC", "Pembrolizumab", ["irecist"]),
        ("melanoma", "anti-PD-1", ["irecist"]),
        ("melanoma", "immune checkpoint inhibitors", ["irecist"]),
        ("melanoma", "chemotherapy, no immunotherapy", []),
        ("melanoma", "dacarbazine after prior nivolumab", []),
        ("nivolumab", "", []),  # the tumour type is no treatment
        ("Hodgkin's lymphoma", "nivolumab", ["lugano"]),
        ("non-Hodgkin lymphoma", "R-CHOP", ["lugano"]),
        ("DLBCL", "", ["lugano"]),
        ("primary CNS lymphoma", "methotrexate", []),
        ("glioblastoma", "temozolomide", ["rano-2.0"]),
        ("low-grade glioma", "", ["rano-2.0"]),
        ("prostate cancer", "enzalutamide", ["pcwg3"]),
        ("mCRPC", "docetaxel", ["pcwg3"]),
        ("renal cell carcinoma", "sunitinib", ["mass"]),
        ("renal cell carcinoma", "", []),
        ("HCC", "radiofrequency ablation", ["mrecist", "ablation"]),
        ("melanoma", "T-VEC (intralesional)", ["itrecist"]),
        ("breast cancer", "paclitaxel", []),
        ("", "", []),
        # spellings of the tumour type
        ("gastro-intestinal stromal tumor", "", ["choi"]),
        ("GI stromal tumours", "", ["choi"]),
        ("Stromal tumor of stomach", "", ["choi"]),
        ("GIST resistant to imatinib", "sunitinib", ["choi"]),
        ("GIST of the rectum", "", ["choi"]),  # no colorectal cancer
        ("rectal neuroendocrine tumour", "", []),
        ("small bowel cancer", "", []),
        ("bowel cancer", "", ["chun"]),
        ("sigmoid adenocarcinoma", "", ["chun"]),
        ("CRC with liver mets", "", ["chun", "chun"]),
        ("liver metastases (colorectal)", "", ["chun", "chun"]),
        ("hepatic metastases from rectal cancer", "", ["chun", "chun"]),
        ("colorectal cancer, no liver metastases", "", ["chun"]),  # a lesion in the liver decides
        ("liver metastases", "", []),
        ("hepato-cellular carcinoma", "", ["mrecist"]),
        ("liver cell carcinoma", "", ["mrecist"]),
        ("intrahepatic cholangiocarcinoma", "", []),
        ("history of lymphoma", "", []),
        ("DLBCL, relapsed/refractory", "R-CHOP", ["lugano"]),
        ("mycosis fungoides (cutaneous lymphoma)", "", []),
        ("medulloblastoma", "", []),
        ("castration-refractory prostate cancer", "", ["pcwg3"]),
        ("kidney cancer", "TKI", ["mass"]),
        ("urothelial carcinoma of the kidney", "sunitinib", []),
        ("leiomyosarcoma", "pazopanib", ["choi", "mri-choi"]),
        ("soft tissue sarcoma", "doxorubicin", ["mri-choi"]),  # with relative enhancement on MR
        # codes
        ("C49.A2", "", ["choi"]),
        ("8936/3", "", ["choi"]),
        ("M-8936/1", "", ["choi"]),
        ("8936", "", []),  # no code without its behaviour
        ("18936/3", "", []),
        ("C49.2", "", []),
        ("C18.7", "", ["chun"]),
        ("c187", "", ["chun"]),
        ("C20", "", ["chun"]),
        ("C18.7; C78.7", "", ["chun", "chun"]),
        ("C78.7", "", []),
        ("C21.0", "", []),
        ("C22.0", "", ["mrecist"]),
        ("C22.1", "", []),
        ("8170/3", "TACE", ["mrecist"]),
        ("8160/3", "", []),
        ("C83.3", "", ["lugano"]),
        ("9680/3", "", ["lugano"]),
        ("C88.0", "", []),
        ("C71.1", "temozolomide", ["rano-2.0"]),
        ("9440/3", "", ["rano-2.0"]),
        ("C79.3", "", ["rano-bm"]),
        ("NSCLC with brain mets", "osimertinib", ["rano-bm"]),
        ("melanoma, brain metastases", "ipi/nivo", ["irecist", "rano-bm"]),
        ("brain metastases (C71.9)", "", ["rano-bm"]),
        ("NSCLC, no brain metastases", "", []),
        ("C61", "", ["pcwg3"]),
        ("C64.9", "axitinib", ["mass"]),
        ("C64", "everolimus", []),
        # treatments
        ("GIST", "Glivec", ["choi"]),
        ("HCC", "TACE", ["mrecist"]),
        ("HCC", "Y-90", ["mrecist"]),
        ("HCC", "atezo/bev", ["mrecist", "irecist"]),
        ("HCC", "durvalumab+tremelimumab", ["mrecist", "irecist"]),
        ("melanoma", "ipi/nivo", ["irecist"]),
        ("melanoma", "Keytruda", ["irecist"]),
        ("NSCLC", "chemo-IO", ["irecist"]),
        ("melanoma", "IL-2", ["irecist"]),
        ("uveal melanoma", "tebentafusp", ["irecist"]),
        ("melanoma", "patients treated with pembrolizumab", ["irecist"]),
        ("melanoma", "nivolumab after dacarbazine", ["irecist"]),
        ("melanoma", "dacarbazine, previously treated with nivolumab", []),
        ("melanoma", "PD-1 refractory: dacarbazine", []),
        ("melanoma", "refractory to pembrolizumab", []),
        ("melanoma", "immunotherapy-naive", []),
        ("Crohn's disease", "vedolizumab", []),
        ("renal cell carcinoma", "lenvatinib + pembrolizumab", ["irecist", "mass"]),
        ("glioblastoma", "nivolumab", ["rano-2.0"]),
        ("liver metastases", "microwave ablation", ["ablation"]),
        ("breast cancer", "ovarian ablation", []),
    ],
)
def test_suggestions(tumour_type: str, treatment: str, criteria: list[str]) -> None:
    assert [item.criterion for item in suggested(tumour_type, treatment)] == criteria


@pytest.mark.parametrize(
    ("tumour_type", "of_liver", "sarcoma"),
    [
        ("HCC", True, False),
        ("C22.0", True, False),
        ("lymphoma", True, False),
        ("GIST", False, False),
        ("colorectal cancer", False, False),
        ("myxoid liposarcoma", False, True),
        ("sarcoma", False, True),
        ("no sarcoma", False, False),
        ("", False, False),
    ],
)
def test_tumours_that_checks_ask_for(tumour_type: str, of_liver: bool, sarcoma: bool) -> None:
    assert (is_of_liver(tumour_type), is_sarcoma(tumour_type)) == (of_liver, sarcoma)


def test_every_indication_names_a_criterion_that_is_there_and_its_source() -> None:
    for item in INDICATIONS:
        assert item.criterion in BUILT_IN
        assert find_criterion(item.criterion).name == item.criterion
        assert item.tumours or item.treatments
        assert item.source
        words = (*item.tumours, *item.also, *item.treatments, *item.unless)
        assert all(word == folded(word) and "tumor " not in f"{word} " for word in words)  # as texts are read


def trial(*subjects: tuple[str, str, str], organ: str = "liver", **more: str) -> Assessment:
    """Return a trial of subjects with tumour type and treatment, each with one target."""
    measured = [target(name, place, "30", **more) | {"organ": organ} for name, _, _ in subjects for place in (0, 1)]
    table = [{"subject": name, "tumour_type": kind, "treatment": drug} for name, kind, drug in subjects]
    return from_rows(measured, subjects=table)


def told(found: Assessment) -> list[Finding]:
    return [item for item in found.found if item.id == "criterion_suggested"]


def test_one_finding_per_tumour_type_treatment_and_criterion() -> None:
    found = trial(
        ("A", "GIST", "imatinib"),
        ("B", "gist", "Imatinib"),
        ("C", "GIST", "sunitinib"),
        ("D", "HCC", "nivolumab"),
        ("E", "breast cancer", ""),
        attenuation_hu="80",
    )
    findings = told(found)
    assert [item.found for item in findings] == [
        "Choi for GIST; imatinib: 2 subjects, assessed in this run",
        "Choi for GIST; sunitinib: 1 subject, assessed in this run",
        "mRECIST (HCC) for HCC; nivolumab: 1 subject, not assessed in this run",
        "iRECIST for HCC; nivolumab: 1 subject, not assessed in this run",
    ]
    assert {item.severity for item in findings} == {"info"}
    assert {item.subject for item in findings} == {""}
    assert len({item.key for item in findings}) == len(findings)
    assert [item.column for item in findings] == ["tumour_type", "tumour_type", "tumour_type", "treatment"]
    assert "viable_mm" in findings[2].remedy
    assert "J Clin Oncol 2007;25:1753-1759" in findings[0].sentence
    assert all(item.expected and item.sentence.endswith(".") and item.remedy.endswith(".") for item in findings)
    assert next(iter(found.results)) == "recist-1.1"


def test_colorectal_cancer_suggests_chun_where_there_is_a_lesion_in_the_liver() -> None:
    assert len(told(trial(("A", "colorectal cancer", "FOLFOX")))) == 1
    assert told(trial(("A", "colorectal cancer", "FOLFOX"), organ="lung")) == []


PLACES = (("A", "liver"), ("B", "lung"))


def test_soft_tissue_sarcoma_suggests_mri_choi_where_the_table_has_relative_enhancement() -> None:
    sarcoma = ("A", "liposarcoma", "doxorubicin")
    (found,) = told(trial(sarcoma, relative_enhancement_percent="80"))
    assert found.found == "MRI-Choi for liposarcoma; doxorubicin: 1 subject, assessed in this run"
    assert "JCOG0304" in found.sentence  # the study without a gain is named too
    assert "Suggested for tumour type 'liposarcoma'" in plain(trial(sarcoma, relative_enhancement_percent="80"))
    for numbers in ({}, {"relative_enhancement_percent": ""}, {"attenuation_hu": "80"}):
        assert told(trial(sarcoma, **numbers)) == []
        assert "Suggested" not in plain(trial(sarcoma, **numbers))
    assert told(trial(("A", "breast cancer", ""), relative_enhancement_percent="80")) == []


def plain(found: Assessment) -> str:
    return " ".join(explain(found, "A").split())


def test_a_criterion_is_suggested_once_by_whatever_words() -> None:
    measured = [target(name, place, "30") | {"organ": organ} for name, organ in PLACES for place in (0, 1)]
    table = [{"subject": name, "tumour_type": "colorectal liver metastases"} for name, _ in PLACES]
    found = from_rows(measured, subjects=table)
    assert [item.found for item in told(found)] == [
        "Chun for colorectal liver metastases: 2 subjects, not assessed in this run"
    ]
    assert explain(found, "A").count("Suggested") == explain(found, "B").count("Suggested") == 1


def test_a_criterion_counts_as_assessed_where_a_study_made_its_own_of_it() -> None:
    measured = [target("A", place, "30") for place in (0, 1)]
    of_study = "[criterion.study-x]\nbased_on = 'mrecist'\nsource = 'protocol X-101'\npd_percent = 25"
    found = from_rows(measured, subjects=[{"subject": "A", "tumour_type": "HCC"}], options=of_study)
    assert [item.found for item in told(found)] == [
        "mRECIST (HCC) for HCC: 1 subject, assessed in this run as mRECIST (HCC) (study-x)"
    ]
    assert told(found)[0].remedy == "Read both side by side; RECIST 1.1 stays."
    assert "assessed in this run as mRECIST (HCC) (study-x)" in " ".join(explain(found, "A").split())


def test_without_a_subject_table_nothing_is_suggested() -> None:
    assert suggestion_findings(from_rows([target("A", 0, "30"), target("A", 1, "30")])) == []


def test_the_course_of_a_subject_tells_what_is_suggested() -> None:
    found = trial(("A", "colorectal cancer", ""), ("B", "breast cancer", ""))
    text = " ".join(explain(found, "A").split())
    assert "Suggested for tumour type 'colorectal cancer' beside RECIST 1.1: Chun (Chun et al., JAMA 2009" in text
    assert "not assessed in this run" in text
    assert "Suggested" not in explain(found, "B")
    assert "Suggested" not in explain(trial(("A", "colorectal cancer", ""), organ="lung"), "A")


def test_a_subject_that_the_subject_table_does_not_know_suggests_nothing() -> None:
    measured = [target(name, place, "30") for name in ("A", "B") for place in (0, 1)]
    about = {"subject": "A", "tumour_type": "GIST", "setting": "neoadjuvant", "radiotherapy_end": "2024-01-10"}
    found = from_rows(measured, subjects=[about])
    assert "Suggested" in explain(found, "A")
    assert "Suggested" not in explain(found, "B")
    assert "Setting" not in explain(found, "B")
    assert "after radiotherapy" in explain(found, "A")
    assert "radiotherapy" not in explain(found, "B")
