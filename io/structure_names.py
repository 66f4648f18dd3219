"""What a segmentation says about a structure: is it an organ or a lesion, where, and in which role.

Codes decide. A label decides where there are none, or where they say no more than "tissue"; by whole words, as the
tables below say. What is not clearly an organ is taken for a lesion, so that none is lost.

Sources: DICOM PS3.16, CID 7150 (categories), 7159 and 7194 (lesions), 6145 (roles).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from response.imaging.lesion_mask import StructureName
from response.vocabulary import LYMPH_NODE, ROLE_CODES, Role, coded, folded, is_nodal_site, organ_of_code

# Categories of which nothing is a lesion: physical object, spatial and relational concept.
_NO_LESION: Final = frozenset({"260787004^SCT", "A-00004^SRT", "309825002^SCT", "R-42018^SRT"})
# Anatomical structure, body structure, tissue: an organ, where the type names one.
_ANATOMICAL: Final = frozenset(
    {"91723000^SCT", "T-D0005^SRT", "123037004^SCT", "T-D000A^SRT", "85756007^SCT", "T-D0050^SRT"}
)
_ALTERED: Final = frozenset({"49755003^SCT", "M-01000^SRT"})  # morphologically altered structure
# Types that say nothing: tissue, soft tissue, organ, anatomical structure; programs write them where nobody chose.
_VAGUE: Final = frozenset(
    {"85756007^SCT", "T-D0050^SRT", "87784001^SCT", "T-1A000^SRT", "91772007^SCT", "T-D0062^SRT"}
    | {"113343008^SCT", "T-D0060^SRT", "91723000^SCT", "T-D0005^SRT", "123037004^SCT", "T-D000A^SRT"}
)
_LESION_WORDS: Final = frozenset(
    "lesion lesions tumor tumors tumour tumours neoplasm neoplasms neoplastic mass masses nodule nodules metastasis "
    "metastases metastatic met mets cancer carcinoma sarcoma lymphoma melanoma adenoma gist cyst abscess gtv target "
    "targets nontarget lymphadenopathy node nodes necrosis necrotic edema oedema enhancing malignancy".split()
)
_EXCEPTION_WORDS: Final = frozenset("without minus except excluding no non healthy normal".split())
_TARGET_VOLUME: Final = re.compile(r"[pci]tv[a-z]?\d*[a-z]?")  # radiotherapy: a lesion with a margin around it
_ORGAN_WORDS: Final = frozenset(
    "liver spleen pancreas kidney kidneys lung lungs heart brain stomach gallbladder bladder aorta esophagus "
    "oesophagus trachea bronchi bronchus thyroid prostate uterus rectum colon duodenum jejunum ileum bowel intestine "
    "cerebellum brainstem chiasm eye eyes lens cochlea parotid parotids larynx pharynx mandible skull "
    "sternum rib ribs vertebra vertebrae spine femur femurs tibia humerus scapula clavicle clavicula sacrum "
    "muscle muscles fat skin body external couch table background skeleton marrow atrium ventricle myocardium "
    "pericardium artery arteries vein veins vessel vessels vena cava adrenal adrenals thymus diaphragm ureter urethra "
    "testis testes ovary ovaries vagina penis gluteus iliopsoas autochthon hip patella fibula pituitary hippocampus "
    "thalamus glands gland spinal cord canal".split()
)
_BESIDE_ORGANS: Final = frozenset(  # words that stand beside the name of an organ without making it a lesion
    "left right l r lt rt both bilateral upper middle lower lobe lobes of the and whole total organ segment segments "
    "segmentation seg mask urinary small large ascending descending transverse sigmoid inferior superior portal "
    "splenic hepatic renal pulmonary iliac common carotid brachiocephalic subclavian jugular maximus medius minimus "
    "optic nerve nerves subcutaneous visceral skeletal trunk appendage costal cartilage cortex lumen wall parenchyma "
    "bone contour structure".split()
)
_NUMBERED: Final = frozenset("rib ribs vertebra vertebrae segment segments lobe spine".split())
_NUMBER: Final = re.compile(r"[clts]?\d{1,2}|i{1,3}|iv|vi{0,3}|ix|x")

# Roles in labels, the first that fits. The short ones ("T1", "NT02", "NL 3") must be the whole label, or stand before a
# separator with a blank ("T01 - liver"): "T2 FLAIR" and "T1_weighted" are no targets.
_LESION_NOUN: Final = r"(?:lesions?|tumou?rs?|metastas[ie]s|mets?|nodules?|mass(?:es)?|(?:lymph )?nodes?)"
_SHORT: Final = r"[ _-]?\d{{1,3}}(?:[a-z]|\.\d)?\s*(?:$|[:,(|]|\s[-–])"
_ROLE_OF_LABEL: Final = (
    (Role.NON_TARGET, re.compile(r"\bnon ?targets?\b")),
    (Role.TARGET, re.compile(r"\btargets?\b(?! (?:volumes?|zone|area|region)\b)")),
    (Role.NEW, re.compile(rf"\bnew(?: \w+){{0,2}} {_LESION_NOUN}\b|^new ?\d{{1,3}}$")),
)
_ROLE_OF_SHORT_LABEL: Final = (
    (Role.NON_TARGET, re.compile(rf"ntl?{_SHORT.format()}")),
    (Role.TARGET, re.compile(rf"tl?{_SHORT.format()}")),
    (Role.NEW, re.compile(rf"nl{_SHORT.format()}")),
)


@dataclass(frozen=True)
class Concept:
    """A coded concept: code as `value^SCHEME`, and its meaning as text."""

    code: str = ""
    meaning: str = ""


def concept(value: str, scheme: str, meaning: str) -> Concept:
    """Return a coded concept; without a value it is none, whatever its meaning."""
    return Concept(coded(value, scheme), meaning.strip()) if value.strip() else Concept("", meaning.strip())


NOTHING: Final = Concept()


def structure_name(
    *,
    number: int,
    label: str,
    category: Concept = NOTHING,
    kind: Concept = NOTHING,
    region: Concept = NOTHING,
    side: str = "",
    others: Sequence[Concept] = (),
    tracking_id: str = "",
    tracking_uid: str = "",
) -> StructureName:
    """Return what is said about a structure, with what follows from it: organ or lesion, site and role.

    Parameters
    ----------
    number
        Segment number, label value or ROI number.
    label
        Its name.
    category, kind
        Segmented property category and type.
    region
        Anatomic region.
    side
        Laterality, as text.
    others
        Further concepts among which a role may be.
    tracking_id, tracking_uid
        Identity over time.
    """
    organ = is_organ(category, kind, label)
    site = region if region.meaning or region.code else _site_of_kind(kind, organ)
    return StructureName(
        number=number,
        label=label,
        tracking_id=tracking_id,
        tracking_uid=tracking_uid,
        site=_with_side(site.meaning, side),
        site_code=site.code,
        category=category.meaning,
        kind=kind.meaning,
        kind_code=kind.code,
        is_organ=organ,
        role="" if organ else _coded_role([kind, category, *others]) or role_of_label(label),
    )


def is_organ(category: Concept, kind: Concept, label: str) -> bool:
    """Return whether a structure is an organ, or anything else that is no lesion.

    1. A lesion by its type or category is none.
    2. Physical objects, spatial concepts (background, reference region) and target volumes with a margin (PTV, CTV,
       ITV) are never lesions.
    3. A lesion by a word of its label, or by its role, is no organ ("liver without lesions" is one).
    4. A lymph node is a lesion: it is segmented because it is one.
    5. Anatomical structures and tissues with a type of their own are organs.
    6. Where codes say no more, the whole label must be the name of an organ.
    """
    if _is_altered(category, kind):
        return False
    if category.code in _NO_LESION or any(_TARGET_VOLUME.fullmatch(word) for word in folded(label).split()):
        return True
    if is_lesion_label(label) or _is_node(kind) or (role_of_label(label) and "vertebra" not in folded(kind.meaning)):
        return False
    if category.code in _ANATOMICAL and kind.code and kind.code not in _VAGUE:
        return True
    return is_organ_label(label) or (bool(kind.code) and is_organ_label(kind.meaning))


def _is_altered(category: Concept, kind: Concept) -> bool:
    morphological = kind.code.endswith("^SRT") and kind.code.startswith("M-")  # axis M of SNOMED
    lesion = bool(kind.code) and is_lesion_label(kind.meaning)
    return category.code in _ALTERED or morphological or lesion


def _is_node(kind: Concept) -> bool:
    return organ_of_code(kind.code) == LYMPH_NODE or is_nodal_site(kind.meaning)


def is_lesion_label(label: str) -> bool:
    """Return whether a label names a lesion, by whole words."""
    words = set(folded(label).split())
    return bool(words & _LESION_WORDS) and not words & _EXCEPTION_WORDS


def is_organ_label(label: str) -> bool:
    """Return whether a whole label is the name of an organ ("left kidney", "rib 4", "liver without lesions")."""
    words = folded(label).split()
    if _EXCEPTION_WORDS & set(words):
        words = [word for word in words if word not in _EXCEPTION_WORDS and word not in _LESION_WORDS]
    names = [word for word in words if word in _ORGAN_WORDS]
    numbered = bool(_NUMBERED & set(words))
    kept = [word for word in words if word not in _ORGAN_WORDS and word not in _BESIDE_ORGANS]
    return bool(names) and all(numbered and _NUMBER.fullmatch(word) for word in kept)


def role_of_label(label: str) -> str:
    """Return the role that a label names: `target`, `non_target`, `new`, or empty."""
    text, words = label.strip().casefold(), folded(label)
    for patterns, searched in ((_ROLE_OF_LABEL, words), (_ROLE_OF_SHORT_LABEL, text)):
        for role, pattern in patterns:
            if pattern.search(searched) if patterns is _ROLE_OF_LABEL else pattern.match(searched):
                return role.name.lower()
    return ""


def _coded_role(concepts: Sequence[Concept]) -> str:
    roles = [ROLE_CODES[each.code] for each in concepts if each.code in ROLE_CODES]
    return roles[0].name.lower() if roles else ""


def _site_of_kind(kind: Concept, organ: bool) -> Concept:
    """Return the type as site where it is one: an organ, or lymph node."""
    return kind if (organ and kind.code and kind.code not in _VAGUE) or _is_node(kind) else NOTHING


def _with_side(site: str, side: str) -> str:
    has_side = folded(side) in folded(site).split()
    return site if not side or not site or has_side else f"{side.lower()} {site}"
