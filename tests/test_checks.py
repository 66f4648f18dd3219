"""The edit checks: each case is a small trial, the findings that it must raise, and those that it must not (`!id`).

The trials are written in the language of `tests.acceptance`; clean rows beside the fault must raise nothing.
"""

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

import response
from response.checks import check
from response.checks.scene import LARGEST_PER_CHECK
from response.findings import Finding
from response.measurements import Measurements
from tests.acceptance import Case, iso_day, text_table

TODAY = date(2025, 6, 1)
WINDOW = "[schedule]\\nevery_days = 56\\nwindow_days = 7"

# RECIST 1.1, section 3.1.2: truly non-measurable; blanks of a site are written _
SITES_WITHOUT_EXTENT = (
    *("ascites", "pleural_effusion", "left_pleural_fluid", "pericardial_effusion", "malignant_effusion"),
    *("leptomeningeal", "leptomeninges", "meningeosis_carcinomatosa", "inflammatory_breast_cancer"),
    *("lymphangitis_carcinomatosa", "lymphangiosis", "hepatomegaly"),
)
SITES_WITH_EXTENT = (
    *(
        "pleura",
        "peritoneum",
        "breast",
        "meninges",
        "no_ascites",
        "nodule_beside_ascites",
        "pleura_with_pleural_effusion",
    ),
    *("nodule_next_to_the_effusion", "lymphangioma", "omental_cake", "lymphoblastic_mass"),
)

# id, lesions, further inputs, what must be found and not found, why
CASES = [
    # --- choice of targets
    ("five targets", "T1 liver 30 ; T2 liver 30 ; T3 lung 30 ; T4 lung 30 ; T5 bone 30", {}, "!too_many_targets",
     "five are allowed"),
    ("six targets", "T1 liver 30 ; T2 liver 30 ; T3 lung 30 ; T4 lung 30 ; T5 bone 30 ; T6 brain 30", {},
     "too_many_targets !too_many_targets_in_organ", "section 4.2"),
    ("three of an organ", "T1 left_lung 30 ; T2 right_lung 30 ; T3 lung 30", {},
     "too_many_targets_in_organ !too_many_targets", "paired organs are one"),
    ("organs not recorded", "T1 _ 30 ; T2 _ 30 ; T3 _ 30", {}, "!too_many_targets_in_organ", "blank is no organ"),
    ("10 mm", "T1 liver 10", {}, "!target_not_measurable", "10 mm is measurable"),
    ("9.9 mm", "T1 liver 9.9 ; T2 liver 30", {}, "target_not_measurable", "below 10 mm"),
    ("slices of 5 mm", "T1 liver [slice_thickness_mm=5] 10", {}, "!target_not_measurable", "the rule starts above 5"),
    ("slices of 6 mm", "T1 liver [slice_thickness_mm=6] 11.9", {}, "target_not_measurable", "12 mm would be needed"),
    ("twice the slice", "T1 liver [slice_thickness_mm=6] 12", {}, "!target_not_measurable", "inclusive"),
    ("node of 15 mm", "T1 node 15", {}, "!nodal_target_too_small", "inclusive"),
    ("node of 14.9 mm", "T1 node 14.9", {}, "nodal_target_too_small !target_not_measurable", "one finding, not two"),
    ("node on thick slices", "T1 node [slice_thickness_mm=8] 15", {}, "node_on_thick_slices !target_not_measurable",
     "node_slice_rule = warn"),
    ("node, twice the slice asked for", "T1 node [slice_thickness_mm=8] 15",
     {"options": '[recist-1.1]\\nnode_slice_rule = "max_15_2x_slice"'}, "target_not_measurable !node_on_thick_slices",
     "node_slice_rule = max_15_2x_slice"),
    ("X-ray of 20 mm", "T1 lung [modality=X-ray] 20", {}, "!chest_xray_target", "inclusive"),
    ("X-ray of 19 mm", "T1 lung [modality=X-ray] 19", {}, "chest_xray_target !target_not_measurable", "20 mm"),
    ("ultrasound", "T1 liver [modality=ultrasound] 30", {}, "non_measurable_target", "section 3.2.2"),
    ("MRI as CT", "T1 liver [modality=MR] 10", {}, "!target_not_measurable !non_measurable_target", "as CT"),
    *((kind, f"T1 liver [lesion_type={kind}] 30", {}, "non_measurable_target", "never measurable")
      for kind in "blastic effusion ascites leptomeningeal lymphangitic inflammatory_breast organomegaly".split()),
    ("lytic with soft tissue", "T1 bone [lesion_type=lytic_soft_tissue] 30", {}, "!non_measurable_target", "3.2"),
    ("lytic, of which the location says blastic", "T1 bone [lesion_type=lytic_soft_tissue,location=blastic] 30", {},
     "!non_measurable_target !bone_target", "what is recorded wins over words"),
    *((f"site {site}", f"T1 {site} 30", {}, "non_measurable_target", "section 3.1.2") for site in SITES_WITHOUT_EXTENT),
    *((f"site {site}", f"T1 {site} 30", {}, "!non_measurable_target", "an extent") for site in SITES_WITH_EXTENT),
    ("location", "T1 lung [location=lymphangitic carcinomatosis] 30", {}, "non_measurable_target", "section 3.1.2"),
    ("blastic in bone", "T1 bone [location=blastic lesion L3] 30", {}, "non_measurable_target !bone_target", "3.1.2"),
    ("blastic elsewhere", "T1 liver [location=sclerotic] 30", {}, "!non_measurable_target", "no bone"),
    ("mixed in bone", "T1 bone [location=mixed lytic and blastic] 30", {}, "!non_measurable_target bone_target",
     "its soft tissue component may be measurable"),
    ("solid by the reader", "T1 pleural_effusion [lesion_type=solid] 30", {}, "!non_measurable_target", "recorded"),
    ("node beside ascites", "T1 mesenteric_node [location=in ascites] 30x20", {}, "!non_measurable_target", "a node"),
    ("non-target", "T1 liver 30 ; NT1 ascites present", {}, "!non_measurable_target", "where it belongs"),
    ("bone", "T1 bone 30", {}, "bone_target", "3.1.2: only its soft tissue component"),
    ("bone of which the kind is recorded", "T1 bone [lesion_type=solid] 30 ; T2 lung 30", {}, "!bone_target", "known"),
    ("cystic beside solid", "T1 liver [lesion_type=cystic] 30 ; NT1 lung 20", {}, "cystic_target", "3.2"),
    ("cystic alone", "T1 liver [lesion_type=cystic] 30 ; NT1 lung 9", {}, "!cystic_target", "nothing better is there"),
    ("treated before", "T1 liver [previously_treated=yes] 30", {}, "previously_treated_target", "3.2"),
    ("grown since", "T1 liver [previously_treated=progressed_since] 30", {}, "!previously_treated_target", "3.2"),
    ("normal node", "T1 liver 30 ; NT1 node 9.9", {}, "normal_node_recorded", "below 10 mm"),
    ("pathological node", "T1 liver 30 ; NT1 node 10", {}, "!normal_node_recorded !non_target_with_diameter", "10 mm"),
    ("non-target with a number", "T1 liver 30 ; NT1 lung 12", {}, "non_target_with_diameter", "never summed"),
    ("new at baseline", "T1 liver 30|30 ; NL1 lung 12|12", {}, "new_lesion_at_baseline", "qc11 ERR-009"),
    ("new later", "T1 liver 30|30 ; NL1 lung -|12", {}, "!new_lesion_at_baseline", ""),
    ("no value at baseline", "T1 liver NE|30 ; T2 liver 30|30", {}, "target_without_baseline_value", "4.4.2"),
    ("... which a number explains", "T1 liver 20 NE|30 ; T2 liver 30|30", {},
     "number_on_not_evaluable !target_without_baseline_value", "one defect, one finding"),
    # --- rows
    ("number on not evaluable", "T1 liver 30|20 NE", {}, "number_on_not_evaluable !target_without_value", ""),
    ("number on absent", "T1 liver 30|20 absent", {}, "number_on_absent", ""),
    ("0 on absent", "T1 liver 30|0 absent", {}, "!number_on_absent", "they say the same"),
    ("number on split", "T1 liver 40|40 split ; T1a<T1 liver -|20 ; T1b<T1 liver -|18", {}, "number_on_split", ""),
    ("number on merged", "T1 liver 30|50 ; T2 liver 20|15 merged>T1", {}, "number_on_merged !number_on_split", ""),
    ("too small with 10.1 mm", "T1 liver 30|10.1 too_small", {}, "large_though_too_small", "above what is measurable"),
    ("too small with 10 mm", "T1 liver 30|10 too_small", {}, "!large_though_too_small", ""),
    ("short above longest", "T1 liver 30x31", {}, "short_longer_than_longest", ""),
    ("short as long", "T1 liver 30x30", {}, "!short_longer_than_longest", "round lesions exist"),
    ("node without short axis", "T1 node 20|blank [longest_mm=22]", {},
     "node_without_short_axis !target_without_value", "the longest never stands in"),
    ("PD on a target", "T1 liver 30|36 pd", {}, "target_progression_state", "the sum decides"),
    ("PD on a non-target", "T1 liver 30|30 ; NT1 lung present|pd", {}, "!target_progression_state", ""),
    ("bare new lesion", "T1 liver 30|30 ; NL1 lung -|blank", {}, "new_lesion_without_state", ""),
    ("bare target", "T1 liver 30|blank", {}, "target_without_value", "blank is never 0"),
    ("Chun group 4", "T1 liver 30|30 [morphology=4]", {}, "unusable_cell", "groups are 1 to 3"),
    # --- lesions over time
    ("unknown target", "T1 liver 30|30 ; T9 liver -|20", {}, "unknown_lesion", "never counted"),
    ("known by its parent", "T1 liver 40|split ; T1a<T1 liver -|20 ; T1b<T1 liver -|18", {},
     "!unknown_lesion !missing_lesion !number_on_split", "fragments are no unknown lesions"),
    ("unknown parent", "T1 liver 40|38 ; T1a<T9 liver -|20", {}, "unknown_parent !unknown_lesion", "told once"),
    ("role changes", "T1 liver 30|30 [role=non_target]", {}, "role_change", "section 4.3: never changes"),
    ("organ changes", "T1 liver 30|30 [organ=lung]", {}, "organ_change", ""),
    ("organ in other words", "T1 left_lung 30|30 [organ=right lung]|30 [organ=lung]", {}, "!organ_change", "one organ"),
    ("missing target", "T1 liver 30|- ; T2 lung 30|30", {}, "missing_lesion !visit_without_measurements", "4.4.2"),
    ("missed visit", "T1 liver 30|-|30", {"visits": "1 done=N"}, "!missing_lesion !visit_without_measurements", ""),
    ("empty visit", "T1 liver 30|-|30", {"visits": "1 done=Y"}, "visit_without_measurements !missing_lesion", ""),
    ("merged into each other", "T1 liver 30|merged>T2 ; T2 liver 20|merged>T1", {}, "cyclic_merge", ""),
    ("merged", "T1 liver 30|50 ; T2 liver 20|merged>T1", {}, "!cyclic_merge", ""),
    ("swap", "T1 liver 60|21 ; T2 liver 20|61", {}, "lesion_swap", "each takes the other's size"),
    ("two opposite courses", "T1 liver 60|35 ; T2 liver 20|40", {}, "!lesion_swap", "neither takes the other's size"),
    ("similar sizes", "T1 liver 30|28 ; T2 liver 28|30", {}, "!lesion_swap", "less than half as much again"),
    ("jump and back", "T1 liver 20|60|20", {}, "implausible_jump", "three times, and back"),
    ("growth that stays", "T1 liver 20|60|58", {}, "!implausible_jump", "it does not come back"),
    ("jump below the factor", "T1 liver 20|59|20", {}, "!implausible_jump", "59 < 3 x 20"),
    # --- units
    ("subject in cm", "T1 liver 4.2|4.0 ; T2 lung 1.8|1.7", {}, "looks_like_cm", "all below 10 mm, with decimals"),
    ("small lesion beside a large one", "T1 liver 8.4 ; T2 lung 30", {}, "!looks_like_cm", ""),
    ("one visit in cm", "T1 liver 42|4.1|40 ; T2 lung 18|1.8|17", {}, "looks_like_cm !implausible_jump", "told once"),
    ("one lesion that responds", "T1 liver 42|4.1|3.9", {}, "!looks_like_cm", "a good response, perhaps"),
    ("whole numbers", "T1 liver 9 ; T2 lung 8", {}, "!looks_like_cm", "no decimals"),
    # --- method
    ("other modality", "T1 liver [modality=CT] 30|30|30 [modality=MR]", {}, "method_change", ""),
    ("other phase", "T1 liver [phase=portal venous] 30|30 [phase=arterial]", {}, "method_change", ""),
    ("thicker slices", "T1 liver [slice_thickness_mm=3] 30|30 [slice_thickness_mm=8]", {}, "method_change", ""),
    ("other thin slices", "T1 liver [slice_thickness_mm=3] 30|30 [slice_thickness_mm=5]", {}, "!method_change",
     "up to 5 mm sizes are comparable"),
    ("written otherwise", "T1 liver [modality=CT] 30|30 [modality=ct]", {}, "!method_change", "the same method"),
    ("not recorded", "T1 liver [modality=CT] 30|30 [modality=]|30", {}, "!method_change", "blank says nothing"),
    # --- dates
    ("order", "T1 liver 30|30|30", {"days": "0|112|56"}, "dates_out_of_order", "label 2 before label 1"),
    ("code of an unscheduled visit", "T1 liver 30|30 [timepoint=999]|30", {}, "dates_out_of_order", "told as info"),
    ("in order", "T1 liver 30|30|30", {}, "!dates_out_of_order !date_in_future !baseline_too_old", ""),
    ("future", "T1 liver 30|30", {"days": "0|800"}, "date_in_future", "after 2025-06-01"),
    ("28 days before treatment", "T1 liver 30|30", {"subject": "treatment_start=d28"}, "!baseline_too_old", "4 weeks"),
    ("29 days before treatment", "T1 liver 30|30", {"subject": "treatment_start=d29"}, "baseline_too_old", "4 weeks"),
    ("after treatment start", "T1 liver 30 [baseline=Y]|30", {"subject": "treatment_start=d-1"},
     "baseline_after_treatment_start !no_baseline", ""),
    ("two baselines", "T1 liver 30 [baseline=Y]|30 [baseline=Y]|30", {}, "several_baselines", ""),
    ("in the window", "T1 liver 30|30|30", {"days": "0|63|105", "options": WINDOW}, "!out_of_window", "7 days"),
    ("out of the window", "T1 liver 30|30|30", {"days": "0|64|112", "options": WINDOW}, "out_of_window", "8 days late"),
    ("unscheduled", "T1 liver 30|30|30", {"days": "0|70|112", "options": WINDOW, "visits": "1 unscheduled=Y"},
     "!out_of_window", "no planned day"),
    ("no schedule", "T1 liver 30|30", {"days": "0|90"}, "!out_of_window", "the protocol has none"),
    ("partial date", "T1 liver 30|30 [date=2024-03]", {}, "date_partial", ""),
    ("no date at all", "T1 liver [date=] 30", {}, "date_missing !undated_timepoints", "one timepoint: no order"),
    ("scans far apart", "T1 liver 30|30 ; T2 lung 30|30 [date=d90]", {}, "scans_far_apart", "34 days"),
    ("response after therapy", "T1 liver 30|15", {"subject": "new_therapy=d56"}, "response_after_new_therapy", ""),
    ("response before therapy", "T1 liver 30|15", {"subject": "new_therapy=d57"}, "!response_after_new_therapy", ""),
    ("no baseline", "T1 liver -|30|30", {"subject": "treatment_start=d1"},
     "no_baseline !unknown_lesion !missing_lesion", "told once"),
    ("on the day of therapy, counted", "T1 liver 30|15",
     {"subject": "new_therapy=d56", "options": '[recist-1.1]\\nsame_day_new_therapy = "include"'},
     "!response_after_new_therapy", "same_day_new_therapy = include"),
    # --- radiotherapy
    ("baseline on the last day of neoadjuvant radiotherapy", "T1 thigh 50|50",
     {"subject": "setting=neoadjuvant, radiotherapy_end=d0"}, "baseline_after_radiotherapy", "F14"),
    ("... of pre-operative", "T1 thigh 50|50", {"subject": "setting=Pre-operative RT, radiotherapy_end=d-20"},
     "baseline_after_radiotherapy", "F14"),
    ("baseline before its last day", "T1 thigh 50|50", {"subject": "setting=neoadjuvant, radiotherapy_end=d1"},
     "!baseline_after_radiotherapy", "F14"),
    ("later scans", "T1 thigh 50|50", {"subject": "setting=Neo-adjuvant RT, radiotherapy_end=d20"},
     "!baseline_after_radiotherapy", "its baseline is before"),
    ("surveillance", "T1 thigh 50|50", {"subject": "setting=surveillance, radiotherapy_end=d-90"},
     "!baseline_after_radiotherapy", "there it is after therapy"),
    # --- volumes of non-targets
    ("volume as much above the smallest as PD", "NT1 bone present[volume_mm3=1000]|present[volume_mm3=1730]", {},
     "non_target_volume_grew !non_target_pd_without_growth", "4.3.4"),
    ("PD without such a volume", "NT1 bone present[volume_mm3=1000]|pd[volume_mm3=1729]", {},
     "non_target_pd_without_growth !non_target_volume_grew", "4.3.4"),
    # --- ancillary findings
    ("same size, new necrosis", "T1 liver 50[necrosis_finding=absent]|55[necrosis_finding=new]", {},
     "second_look !growth_with_necrosis", "within 10 %"),
    ("growth, new necrosis", "T1 liver 50[necrosis_finding=absent]|55.1[necrosis_finding=new]", {},
     "growth_with_necrosis !second_look", "above 10 %"),
    ("class of pathology", "T1 liver 50|50[pathology_viable_percent=3,pathology_class=D]", {},
     "pathology_class_differs", "3 % is class C"),
    ("word against number", "T1 liver 50[rim_finding=absent,necrosis_finding=absent,necrosis_fraction=0]"
     "|50[necrosis_finding=stable,necrosis_fraction=0.6]", {}, "ancillary_contradiction", "0 to 60 % is not stable"),
    ("shares", "T1 liver 50[viable_fraction=0.7,necrosis_fraction=0.4]|50", {}, "shares_above_whole", "110 %"),
    ("calcification and attenuation", "T1 liver 50@60[calcification_finding=absent]|50@60[calcification_finding=new]",
     {}, "dense_parts", "Choi compares attenuation"),
    ("bright parts of a lesion whose relative enhancement is compared",
     "T1 thigh 50%60[haemorrhage_finding=absent]|30%60[haemorrhage_finding=new]",
     {}, "bright_parts", "MRI-Choi compares relative enhancement"),
    ("another group suggested", "T1 liver 50#3|50#1[morphology_suggested=2]", {}, "morphology_differs", ""),
    ("no longer visible", "T1 liver 50|0 ; T2 lung 30|30", {}, "metastasis_disappeared", "a lesion of the liver"),
    ("soon after radiotherapy", "T1 thigh 50|50",
     {"subject": "tumour_type=leiomyosarcoma, radiotherapy_end=d29"},
     "scan_soon_after_radiotherapy", "27 days"),
    # --- who
    ("two writings of an id", "T1 liver 30 // T1 liver 30 [subject=s1]", {}, "similar_subjects", ""),
    ("rows without evaluator", "T1 liver [evaluator=R1] 30|30 ; T2 lung 20|20", {}, "evaluator_mixed", ""),
    ("two evaluators", "T1 liver [evaluator=R1] 30|30 ; T2 lung [evaluator=R2] 20|20", {}, "!evaluator_mixed", ""),
]  # fmt: skip


def case_of(lesions: str, **inputs: str) -> Case:
    blank = dict.fromkeys(("table", "id", "title", "source", "criterion", "visits", "subject", "days", "options"), "")
    return Case(**{**blank, "lesions": lesions, **inputs}, expected={})


def findings_of(case: Case) -> list[Finding]:
    return check(response.assess(case.measurements(), protocol=case.protocol), today=TODAY)


@pytest.mark.parametrize(("lesions", "inputs", "expected"), [pytest.param(*case[1:4], id=case[0]) for case in CASES])
def test_findings(lesions: str, inputs: dict[str, str], expected: str) -> None:
    found = {finding.id for finding in findings_of(case_of(lesions, **inputs))}
    wanted = {word for word in expected.split() if not word.startswith("!")}
    assert wanted <= found
    assert not {word[1:] for word in expected.split() if word.startswith("!")} & found


def test_case_names_are_unique() -> None:
    assert len({case[0] for case in CASES}) == len(CASES)


@pytest.mark.checkout
def test_every_finding_of_the_checks_has_a_case() -> None:
    named = {word.lstrip("!") for case in CASES for word in case[3].split()}
    raised = set()
    for file in (Path(__file__).parent.parent / "response" / "checks").glob("*.py"):
        raised |= set(re.findall(r'"([a-z_]+)",\s+"(?:error|warning|info)"', file.read_text(encoding="utf-8")))
    assert len(raised) > 30
    assert raised <= named


CLEAN = "T1 liver 30|25|20 ; T2 node 18|12|9 ; NT1 bone present|present|absent ; NL1 lung -|-|12"


def test_a_clean_subject_has_no_error_and_no_warning() -> None:
    case = case_of(CLEAN, options=WINDOW)
    assert [finding.sentence for finding in findings_of(case) if finding.severity != "info"] == []


def test_a_finding_tells_where_it_stands_and_what_to_do() -> None:
    (found,) = [item for item in findings_of(case_of("T1 liver 30|20 absent", id="A")) if item.id == "number_on_absent"]
    assert (found.subject, found.timepoint, found.lesion, found.column) == ("S1", "1", "T1", "state")
    assert (found.file, found.line) == ("A.csv", 3)
    assert "20 mm" in found.found
    assert found.severity == "error"
    assert found.expected
    assert found.sentence.endswith(".")
    assert found.remedy.endswith(".")


@pytest.mark.parametrize("lesions", [case[1] for case in CASES])
def test_every_finding_is_complete(lesions: str) -> None:
    for found in findings_of(case_of(lesions)):
        assert found.id
        assert found.found
        assert found.expected
        assert found.sentence
        assert found.remedy


def test_the_order_of_rows_changes_no_finding() -> None:
    case = case_of("T1 liver 60|21|20 ; T2 liver 20|61|- ; T3 node 14|12|10 ; NT1 lung 20|pd|20 [role=target]")
    rows = case.rows()
    shuffled = [rows[place] for place in np.random.default_rng(7).permutation(len(rows))]
    told = [
        sorted((item.id, item.timepoint, item.lesion, item.found) for item in check(response.assess(measured)))
        for measured in (
            Measurements.from_table(text_table(rows, "a.csv")),
            Measurements.from_table(text_table(shuffled, "a.csv")),
        )
    ]
    assert told[0] == told[1]


def test_another_subject_changes_no_finding() -> None:
    lesions = "T1 liver 60|21|20 ; T2 liver 20|61|- ; T3 node 14|12|10"
    alone = [item for item in findings_of(case_of(lesions)) if item.subject == "S1"]
    beside = [item for item in findings_of(case_of(f"{lesions} // {CLEAN}")) if item.subject == "S1"]
    assert [(item.id, item.lesion) for item in alone] == [(item.id, item.lesion) for item in beside]


def test_the_site_of_the_subject_stands_in_every_finding() -> None:
    found = findings_of(case_of("T1 liver 9 ; T1 liver 9", subject="site=S07"))
    assert {item.site for item in found} == {"S07"}


def test_very_many_findings_of_a_kind_are_counted() -> None:
    count = LARGEST_PER_CHECK + 3
    rows = [
        {"subject": f"S{number}", "timepoint": "0", "date": iso_day(0), "lesion": "T1", "role": "target",
         "organ": "lymph node", "short_mm": "12"}
        for number in range(count)
    ]  # fmt: skip
    found = check(response.assess(Measurements.from_table(text_table(rows, "many.csv"))), today=TODAY)
    small = [item for item in found if item.id == "nodal_target_too_small"]
    assert len(small) == LARGEST_PER_CHECK + 1
    assert small[-1].found == "3 more"


def test_a_whole_file_in_cm_is_told_once() -> None:
    found = findings_of(case_of(" // ".join(["T1 liver 4.2 ; T2 lung 1.8"] * 4)))
    (told,) = [item for item in found if item.id == "looks_like_cm"]
    assert told.subject == ""
    assert "4 of 4" in told.found


def test_a_date_of_the_subject_table_in_the_future_is_told_with_its_column() -> None:
    found = findings_of(case_of("T1 liver 30|30", subject="new_therapy=d2000"))
    assert [item.column for item in found if item.id == "date_in_future"] == ["new_therapy"]


def test_a_code_for_unscheduled_visits_is_no_fault() -> None:
    found = findings_of(case_of("T1 liver 30|30 [timepoint=999]|30"))
    assert [item.severity for item in found if item.id == "dates_out_of_order"] == ["info"]
