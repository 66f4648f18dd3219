"""Organ or lesion, site and role: by code, and by whole words of the label where there are none."""

import pytest

from response.io.structure_names import (
    NOTHING,
    Concept,
    concept,
    is_organ,
    role_of_label,
    structure_name,
)

ALTERED = Concept("49755003^SCT", "Morphologically Altered Structure")
ALTERED_SRT = Concept("M-01000^SRT", "Morphologically Altered Structure")
ANATOMY = Concept("123037004^SCT", "Anatomical Structure")
ANATOMY_SRT = Concept("T-D000A^SRT", "Anatomical Structure")
TISSUE = Concept("85756007^SCT", "Tissue")
TISSUE_SRT = Concept("T-D0050^SRT", "Tissue")
OBJECT = Concept("260787004^SCT", "Physical object")
SPATIAL = Concept("309825002^SCT", "Spatial and Relational Concept")
SUBSTANCE = Concept("91720002^SCT", "Body Substance")
NEOPLASM = Concept("108369006^SCT", "Neoplasm")
MASS_SRT = Concept("M-03000^SRT", "Mass")
NODULE = Concept("27925004^SCT", "Nodule")
LIVER = Concept("10200004^SCT", "Liver")
LIVER_SRT = Concept("T-62000^SRT", "Liver")
KIDNEY = Concept("64033007^SCT", "Kidney")
NODE = Concept("59441001^SCT", "Lymph node")
NODE_SRT = Concept("T-C4000^SRT", "Lymph node")
PELVIC_NODE = Concept("54268001^SCT", "Pelvic lymph node")
VERTEBRA = Concept("64864005^SCT", "T1 vertebra")
STENT = Concept("65818007^SCT", "Stent")
REFERENCE = Concept("C94970^NCIT", "Reference Region")
UNKNOWN = Concept("12345^99LOCAL", "Whatever")

ORGANS = [
    # what                                                category     type        label                organ
    ("an organ by its code", ANATOMY, LIVER, "Segment 1", True),
    ("an organ in SRT", ANATOMY_SRT, LIVER_SRT, "", True),
    ("an organ coded as tissue (dcmqi)", TISSUE_SRT, LIVER_SRT, "Liver", True),
    ("a lesion by its code", ALTERED, NEOPLASM, "Liver", False),
    ("a lesion in SRT", ALTERED_SRT, MASS_SRT, "Liver", False),
    ("a lesion by its type alone", ANATOMY, NODULE, "", False),
    ("a lesion by its category alone", ALTERED, NOTHING, "Liver", False),
    ("a lesion of an unknown code", ALTERED, UNKNOWN, "Liver", False),
    ("a lymph node is segmented because it is one", ANATOMY, NODE, "", False),
    ("a lymph node in SRT", ANATOMY_SRT, NODE_SRT, "", False),
    ("a lymph node in another language", ANATOMY, Concept("59441001^SCT", "Lymphknoten"), "", False),
    ("a nodal station", ANATOMY, PELVIC_NODE, "", False),
    ("nothing chosen in 3D Slicer or OHIF", TISSUE, TISSUE, "Segment 1", False),
    ("nothing chosen in OHIF, SRT", TISSUE_SRT, TISSUE_SRT, "Segment 1", False),
    ("nothing chosen, but a name", TISSUE, TISSUE, "left kidney", True),
    ("nothing chosen, a lesion by name", TISSUE, TISSUE, "liver metastasis", False),
    ("an organ by code, a lesion by name", ANATOMY, LIVER, "Lesion 2", False),
    ("an organ by code, a target by name", ANATOMY, LIVER, "T1", False),
    ("a vertebra is no target", ANATOMY, VERTEBRA, "T1", True),
    ("an object", OBJECT, STENT, "Lesion", True),
    ("a reference region", SPATIAL, REFERENCE, "", True),
    ("fluid may be an effusion", SUBSTANCE, NOTHING, "ascites", False),
    ("an unknown code", Concept("1^99X", "x"), UNKNOWN, "Segment", False),
    ("a type without category", NOTHING, LIVER, "", True),
    ("a type without category that is no organ", NOTHING, UNKNOWN, "", False),
    ("no codes, an organ", NOTHING, NOTHING, "Liver", True),
    ("a paired organ", NOTHING, NOTHING, "Right lung", True),
    ("an organ of a whole body", NOTHING, NOTHING, "kidney_left", True),
    ("a lobe", NOTHING, NOTHING, "lung_upper_lobe_left", True),
    ("a numbered bone", NOTHING, NOTHING, "rib_left_4", True),
    ("a named vertebra", NOTHING, NOTHING, "vertebrae_L5", True),
    ("vessels", NOTHING, NOTHING, "portal_vein_and_splenic_vein", True),
    ("an organ without its lesions", NOTHING, NOTHING, "liver without lesions", True),
    ("normal tissue of an organ", NOTHING, NOTHING, "normal liver", True),
    ("a lesion in an organ", NOTHING, NOTHING, "liver lesion", False),
    ("a numbered organ is a lesion of it", NOTHING, NOTHING, "Liver 1", False),
    ("part of a word is no word", NOTHING, NOTHING, "deliverable", False),
    ("an organ and more", NOTHING, NOTHING, "liver dome", False),
    ("a site", NOTHING, NOTHING, "mediastinum", False),
    ("a node by name", NOTHING, NOTHING, "lymph node", False),
    ("a gross tumour volume", NOTHING, NOTHING, "GTV 1", False),
    ("a margin", NOTHING, NOTHING, "PTV_60", True),
    ("a margin around a lesion", NOTHING, NOTHING, "CTV1 tumor", True),
    ("a margin after an organ", NOTHING, NOTHING, "liver PTV", True),
    ("the body", NOTHING, NOTHING, "External", True),
    ("syngo.via: a number", NOTHING, NOTHING, "1", False),
    ("nothing", NOTHING, NOTHING, "", False),
]  # fmt: skip


@pytest.mark.parametrize(("category", "kind", "label", "organ"), [c[1:] for c in ORGANS], ids=[c[0] for c in ORGANS])
def test_organ_or_lesion(category: Concept, kind: Concept, label: str, organ: bool) -> None:
    assert is_organ(category, kind, label) is organ


ROLES = [
    # label                 role
    ("Target 1", "target"),
    ("target", "target"),
    ("TARGET_LESION_02", "target"),
    ("Target lesion liver", "target"),
    ("Liver target 2", "target"),
    ("T1", "target"),
    ("T01", "target"),
    ("T-1", "target"),
    ("TL 3", "target"),
    ("TL1", "target"),
    ("T02a", "target"),
    ("T04.1", "target"),
    ("T01 - liver", "target"),
    ("T1: lung", "target"),
    ("Non-target 3", "non_target"),
    ("Nontarget", "non_target"),
    ("NON_TARGET_LESION_1", "non_target"),
    ("NT2", "non_target"),
    ("NTL 4", "non_target"),
    ("NT01 (bone)", "non_target"),
    ("New 1", "new"),
    ("New lesion", "new"),
    ("new liver lesion 2", "new"),
    ("new lymph node", "new"),
    ("NL1", "new"),
    ("T1_weighted", ""),
    ("T1 enhancing", ""),
    ("T2 FLAIR", ""),
    ("T2-FLAIR", ""),
    ("T1CE", ""),
    ("vertebrae_T1", ""),
    ("N1", ""),  # a node as well as a new lesion
    ("New segment 1", ""),  # what programs call it before anybody does
    ("New label 1", ""),
    ("renewed", ""),
    ("untargeted", ""),
    ("Target volume", ""),
    ("Lesion 1", ""),
    ("NT", ""),
    ("T", ""),
    ("1", ""),
    ("", ""),
]


@pytest.mark.parametrize(("label", "role"), ROLES)
def test_roles_by_label(label: str, role: str) -> None:
    assert role_of_label(label) == role


CODED_ROLES = [
    ("112074", "target"),
    ("112075", "non_target"),
    ("112076", "new"),  # non-lesion at baseline
    ("112077", ""),
]


@pytest.mark.parametrize(("value", "role"), CODED_ROLES)
def test_roles_by_code_win(value: str, role: str) -> None:
    coded = concept(value, "DCM", "meaning")
    name = structure_name(number=1, label="NT1" if role == "target" else "lesion", kind=NEOPLASM, others=[coded])
    assert name.role == role


def test_an_organ_has_no_role() -> None:
    name = structure_name(number=1, label="PTV target 1")
    assert (name.is_organ, name.role) == (True, "")


SITES = [
    # what                              kind     region                                   side     site, code
    ("a region", NEOPLASM, Concept("10200004^SCT", "Liver"), "", "Liver", "10200004^SCT"),
    ("a region and its side", NEOPLASM, Concept("64033007^SCT", "Kidney"), "Left", "left Kidney", "64033007^SCT"),
    ("a side that stands there already", NEOPLASM, Concept("3341006^SCT", "Right lung"), "Right", "Right lung",
     "3341006^SCT"),
    ("an organ is its own site", KIDNEY, NOTHING, "Left", "left Kidney", "64033007^SCT"),
    ("so is a node", NODE, NOTHING, "", "Lymph node", "59441001^SCT"),
    ("a lesion is none", NEOPLASM, NOTHING, "Left", "", ""),
    ("a region as text", NOTHING, Concept("", "pancreas"), "", "pancreas", ""),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "region", "side", "site", "code"), [c[1:] for c in SITES], ids=[c[0] for c in SITES])
def test_sites(kind: Concept, region: Concept, side: str, site: str, code: str) -> None:
    category = ALTERED if kind is NEOPLASM else ANATOMY
    name = structure_name(number=1, label="", category=category, kind=kind, region=region, side=side)
    assert (name.site, name.site_code) == (site, code)


def test_older_names_of_the_scheme() -> None:
    assert concept("T-62000", "SNM3", "Liver").code == "T-62000^SRT"
    assert concept("", "SCT", "Liver") == Concept("", "Liver")
