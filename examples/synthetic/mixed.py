"""A mixed RECIST 1.1 trial: nodes, non-targets, new lesions, missing visits, two evaluators, and what else happens.

Each function is one subject: its course in mm or as factors of the baseline, and the responses that a person reads off
it with the paper in hand. Numbers stay away from the thresholds.
"""

from collections.abc import Callable
from datetime import timedelta

from synthetic.build import Subject, Trial, seen

COLUMNS = (
    *("subject", "evaluator", "accepted", "timepoint", "date", "lesion", "role", "organ", "location"),
    *("lesion_type", "previously_treated", "local_therapy", "state", "longest_mm", "short_mm", "parent"),
    *("modality", "phase", "slice_thickness_mm", "reason"),
)
NOT_PD = "Non-CR/Non-PD"
PROGRESSION = "unequivocal_progression"
GONE, SMALL, PRESENT, NE = "absent", "too_small", "present", "not_evaluable"


def stable(s: Subject) -> None:
    """SD throughout, with an effusion that stays."""
    s.target("T1", "liver", s.course(48.0, (0.95, 0.90, 0.92, 0.94)))
    s.target("T2", "lung", s.course(21.0, (0.95, 0.90, 0.92, 0.94)), location="right upper lobe")
    s.non_target("N1", "pleura", [PRESENT] * 5, lesion_type="effusion")
    s.judge("SD SD SD SD", non_target=f"{NOT_PD} " * 4)


def partial(s: Subject) -> None:
    """PR from the second visit on, liver and node."""
    s.target("T1", "liver", s.course(52.0, (0.80, 0.60, 0.52, 0.50)))
    s.target("T2", "lymph node", s.course(24.0, (0.80, 0.60, 0.52, 0.50)), location="portacaval")
    s.judge("SD PR PR PR")


def complete(s: Subject) -> None:
    """CR: the lung lesion is gone, the target node normal at 7 mm, the non-target node gone."""
    s.target("T1", "lung", [24.0, 11.0, GONE, GONE], location="left lower lobe")
    s.target("T2", "lymph node", [21.0, 12.0, 7.2, 6.8], location="subcarinal")
    s.non_target("N1", "lymph node", [12.4, 10.8, GONE, GONE], location="right hilar")
    s.judge("PR CR CR", non_target=f"{NOT_PD} CR CR")


def targets_gone(s: Subject) -> None:
    """Targets CR, a non-target stays: PR."""
    s.target("T1", "liver", [31.0, 14.0, GONE, GONE])
    s.non_target("N1", "peritoneum", [PRESENT] * 4)
    s.judge("PR PR PR", target="PR CR CR", non_target=f"{NOT_PD} " * 3)


def regrowth(s: Subject) -> None:
    """PD from the nadir while still below the baseline: 90 -> 54 -> 42 -> 60."""
    s.target("T1", "liver", [60.0, 36.0, 28.0, 40.0])
    s.target("T2", "lung", [30.0, 18.0, 14.0, 20.0])
    s.judge("PR PR PD")


def non_target_progression(s: Subject) -> None:
    """Targets SD, effusion from trace to large."""
    s.target("T1", "lung", s.course(38.0, (0.98, 0.96)))
    s.non_target("N1", "pleura", [PRESENT, PRESENT, PROGRESSION], lesion_type="effusion")
    s.judge("SD PD", target="SD SD", non_target=f"{NOT_PD} PD")


def new_lesion(s: Subject) -> None:
    """Unequivocal new brain lesion while the targets respond."""
    s.target("T1", "lung", s.course(44.0, (0.66, 0.58)))
    s.new("X1", "brain", 2, [9.0], location="left frontal", modality="CT")
    s.judge("PR PD", target="PR PR", new=[2])


def new_lesion_equivocal_first(s: Subject) -> None:
    """Equivocal at visit 2, unequivocal at visit 3: PD there, dated back to visit 2."""
    s.target("T1", "liver", s.course(50.0, (0.92, 0.90, 0.91)))
    s.new("X1", "liver", 2, [seen("equivocal", longest_mm="8.0", short_mm="7.1"), 15.5], location="segment 3")
    s.judge("SD SD PD", target="SD SD SD", new=[3], equivocal=[2], progression=2)
    s.keep_visits(new_lesions={2: "equivocal", 3: "unequivocal"})


def new_lesion_resolved(s: Subject) -> None:
    """An equivocal lung nodule proves to be infection."""
    s.target("T1", "liver", s.course(46.0, (0.94, 0.91, 0.93)))
    s.new("X1", "lung", 2, ["equivocal", "resolved"], location="right middle lobe")
    s.judge("SD SD SD", equivocal=[2])
    s.keep_visits(new_lesions={2: "equivocal"})


def missed_visit(s: Subject) -> None:
    """Visit 2 missed, PR afterwards."""
    s.missed = {2}
    s.target("T1", "liver", s.course(57.0, (0.82, 0.7, 0.58, 0.55)))
    s.target("T2", "liver", s.course(33.0, (0.82, 0.7, 0.58, 0.55)))
    s.judge("SD NE PR PR")
    s.keep_visits(v2="admitted elsewhere")


def lost(s: Subject) -> None:
    """The last two visits missed."""
    s.missed = {2, 3}
    s.target("T1", "kidney", s.course(62.0, (0.97, 1.0, 1.0)), location="left")
    s.judge("SD NE NE")
    s.keep_visits(v2="withdrew consent", v3="withdrew consent")


def two_reads_agree(s: Subject) -> None:
    """Two evaluators, one opinion."""
    for reader, size in (("R1", 40.0), ("R2", 42.0)):
        s.read_by(reader, accepted=reader == "R1")
        s.target("T1", "liver", s.course(size, (0.80, 0.60, 0.55)))
        s.target("T2", "lung", s.course(18.0, (0.80, 0.60, 0.55)))
        s.judge("SD PR PR")


def two_reads_differ(s: Subject) -> None:
    """R1 finds SD, R2 with another second target PR; adjudication took R2."""
    s.read_by("R1", accepted=False)
    s.target("T1", "liver", s.course(45.0, (0.88, 0.80, 0.78)))
    s.target("T2", "liver", s.course(30.0, (0.88, 0.80, 0.78)))
    s.judge("SD SD SD")
    s.read_by("R2")
    s.target("T1", "liver", s.course(45.0, (0.80, 0.62, 0.60)))
    s.target("T2", "lymph node", s.course(20.0, (0.80, 0.62, 0.60)), location="celiac")
    s.judge("SD PR PR")


def two_reads_new_lesion(s: Subject) -> None:
    """Only R1 sees a new bone lesion."""
    for reader, words in (("R1", "SD PD"), ("R2", "SD SD")):
        s.read_by(reader, accepted=reader == "R1")
        s.target("T1", "adrenal gland", s.course(34.0, (0.97, 0.95)), location="right")
        s.target("T2", "lung", s.course(27.0, (0.97, 0.95)))
        if reader == "R1":
            s.new("X1", "bone", 2, [PRESENT], location="L3")
        s.judge(words, target="SD SD", new=[2] if reader == "R1" else [])


def two_reads_progress(s: Subject) -> None:
    """Both evaluators find PD, R2 one visit earlier."""
    s.read_by("R1")
    s.target("T1", "liver", s.course(50.0, (1.04, 1.10, 1.40)))
    s.judge("SD SD PD")
    s.read_by("R2", accepted=False)
    s.target("T1", "liver", s.course(50.0, (1.06, 1.34, 1.45)))
    s.judge("SD PD PD")


def too_small(s: Subject) -> None:
    """A lung lesion too small to measure counts 5 mm: 52 -> 40 -> 33 -> 33."""
    s.target("T1", "lung", [12.0, 8.0, SMALL, SMALL], location="right lower lobe")
    s.target("T2", "liver", [40.0, 32.0, 28.0, 28.0])
    s.judge("SD PR PR")


def split(s: Subject) -> None:
    """A liver lesion falls into two fragments: 80 -> 70 -> 38 + 6 + 22 = 66."""
    s.target("T1", "liver", [54.0, 46.0, "split"])
    s.target("T2", "liver", [26.0, 24.0, 22.0])
    s.target("T1.1", "liver", [None, None, 38.0], parent="T1")
    s.target("T1.2", "liver", [None, None, 6.0], parent="T1")
    s.judge("SD SD")


def merged(s: Subject) -> None:
    """Two liver lesions run together: 60 -> 62 -> 66 as one mass."""
    s.target("T1", "liver", [32.0, 33.0, 66.0, 68.0])
    s.target("T2", "liver", [28.0, 29.0, seen("merged", parent="T1"), seen("merged", parent="T1")])
    s.judge("SD SD SD")


def no_evidence(s: Subject) -> None:
    """Adjuvant: no disease at baseline, none later."""
    s.judge("NED NED NED", target="NA NA NA")
    s.keep_visits(evaluator="R1")


def no_evidence_then_relapse(s: Subject) -> None:
    """Adjuvant: a liver metastasis at visit 3."""
    s.new("X1", "liver", 3, [18.0])
    s.judge("NED NED PD", target="NA NA NA", new=[3])
    s.keep_visits(new_lesions={3: "unequivocal"})


def bone_only(s: Subject) -> None:
    """No measurable disease: blastic bone metastases, then unequivocal progression."""
    s.non_target("N1", "bone", [PRESENT, PRESENT, PRESENT, PROGRESSION], lesion_type="blastic")
    s.non_target("N2", "peritoneum", [PRESENT] * 4, lesion_type="ascites")
    words = f"{NOT_PD} {NOT_PD} PD"
    s.judge(words, target="NA NA NA", non_target=words)


def treated_locally(s: Subject) -> None:
    """A target is irradiated on study and leaves the assessment: NE from then on."""
    day = s.day(1, later=9)
    gone = seen(NE, reason="radiotherapy on study", local_therapy=day)
    s.target("T1", "bone", [28.0, 27.0, gone, gone], location="right ilium", lesion_type="lytic_soft_tissue")
    s.target("T2", "liver", s.course(44.0, (0.97, 0.96, 0.95)))
    s.judge("SD NE NE")


def new_therapy_after_progression(s: Subject) -> None:
    """PD, then the next line."""
    s.target("T1", "lung", [36.0, 22.0, 21.0, 33.0])
    s.row["new_therapy"], s.row["treatment_end"] = s.day(3, later=21), s.day(3, later=2)
    s.judge("PR PR PD")


def new_therapy_without_progression(s: Subject) -> None:
    """Changed for toxicity while stable; no imaging afterwards."""
    s.target("T1", "liver", s.course(41.0, (0.93, 0.90)))
    s.row["new_therapy"], s.row["treatment_end"] = s.day(2, later=17), s.day(2, later=3)
    s.judge("SD SD")


def hidden_target(s: Subject) -> None:
    """A target behind atelectasis at visit 2 only."""
    s.target("T1", "lung", [33.0, 31.0, seen(NE, reason="atelectasis"), 30.0])
    s.target("T2", "liver", [29.0, 28.0, 27.0, 28.0])
    s.judge("SD NE SD")


def progression_in_what_is_left(s: Subject) -> None:
    """One target missing, but the measured part alone is PD: nadir 56, now 74 without T2."""
    s.target("T1", "liver", [40.0, 38.0, 74.0])
    s.target("T2", "lung", [20.0, 18.0, seen(NE, reason="motion")])
    s.judge("SD PD")


def nodes_only(s: Subject) -> None:
    """Nodes alone: CR with a sum of 15 mm."""
    s.target("T1", "lymph node", [22.0, 13.0, 8.0], location="left inguinal")
    s.target("T2", "lymph node", [18.0, 11.5, 7.0], location="right iliac")
    s.judge("PR CR", target="PR CR")


def node_stays(s: Subject) -> None:
    """The liver lesion is gone but the node stays at 11 mm: PR, no CR."""
    s.target("T1", "liver", [30.0, 12.0, GONE])
    s.target("T2", "lymph node", [20.0, 14.0, 11.0], location="paraaortic")
    s.judge("PR PR")


def suspected_progression(s: Subject) -> None:
    """Ascites suspected of progression at visit 2, unequivocal at visit 3: PD dated back."""
    s.target("T1", "liver", s.course(39.0, (0.96, 0.95, 0.97)))
    s.non_target("N1", "peritoneum", [PRESENT, PRESENT, "equivocal", PROGRESSION], lesion_type="ascites")
    s.judge("SD SD PD", target="SD SD SD", non_target=f"{NOT_PD} {NOT_PD} PD", progression=2)


def unscheduled_scan(s: Subject) -> None:
    """Symptoms bring an extra scan between visits 2 and 3: PD."""
    s.unscheduled_visit("2.1", after=2, days=24)
    s.target("T1", "liver", s.course(47.0, (0.95, 0.97, 1.36)))
    s.judge("SD SD PD")
    s.keep_visits()


def relapse_after_cr(s: Subject) -> None:
    """CR, then the target comes back."""
    s.target("T1", "liver", [26.0, GONE, GONE, 13.0])
    s.judge("CR CR PD")


def bone_scan_less_often(s: Subject) -> None:
    """The bone lesion is imaged at every other visit."""
    s.target("T1", "lung", s.course(30.0, (0.90, 0.62, 0.60, 0.60)))
    states = [PRESENT, "not_scheduled", PRESENT, "not_scheduled", PRESENT]
    s.non_target("N1", "bone", states, lesion_type="blastic", modality="bone scan", phase="", slice_thickness_mm="")
    s.judge("SD PR PR PR", non_target=f"{NOT_PD} " * 4)


def baseline_only(s: Subject) -> None:
    """Died before the first follow-up."""
    s.target("T1", "liver", [71.0])
    s.row["death"] = s.row["last_known_alive"] = s.day(0, later=50)
    s.judge("")


def irradiated_before(s: Subject) -> None:
    """A target that progressed after earlier radiotherapy may be one; thick slices, but lesions thick enough."""
    s.slice = "8"
    s.target("T1", "lung", s.course(29.0, (0.92, 0.90)), previously_treated="progressed_since")
    s.target("T2", "liver", s.course(24.0, (0.92, 0.90)), previously_treated="no")
    s.judge("SD SD")


def small_sum(s: Subject) -> None:
    """20 -> 12 -> 15: growth of 25 %, but of 3 mm only, is no PD; at 75 % of the baseline it is SD."""
    s.target("T1", "lung", [20.0, 12.0, 15.0], location="lingula")
    s.judge("PR SD")


def unequal_pair(s: Subject) -> None:
    """A large and a small liver lesion, and a lung lesion of 18 mm."""
    s.target("T1", "liver", [64.0, 62.0, 61.0])
    s.target("T2", "liver", [22.0, 21.0, 21.0])
    s.target("T3", "lung", [18.0, 17.0, 17.5], location="left upper lobe")
    s.judge("SD SD")


# Subjects in order of their numbers, with their number of follow-up visits; append only.
SUBJECTS: tuple[tuple[Callable[[Subject], None], int], ...] = (
    (stable, 4),
    (partial, 4),
    (complete, 3),
    (targets_gone, 3),
    (regrowth, 3),
    (non_target_progression, 2),
    (new_lesion, 2),
    (new_lesion_equivocal_first, 3),
    (new_lesion_resolved, 3),
    (missed_visit, 4),
    (lost, 3),
    (two_reads_agree, 3),
    (two_reads_differ, 3),
    (two_reads_new_lesion, 2),
    (two_reads_progress, 3),
    (too_small, 3),
    (split, 2),
    (merged, 3),
    (no_evidence, 3),
    (no_evidence_then_relapse, 3),
    (bone_only, 3),
    (treated_locally, 3),
    (new_therapy_after_progression, 3),
    (new_therapy_without_progression, 2),
    (hidden_target, 3),
    (progression_in_what_is_left, 2),
    (nodes_only, 2),
    (node_stays, 2),
    (suspected_progression, 3),
    (unscheduled_scan, 2),
    (relapse_after_cr, 3),
    (bone_scan_less_often, 4),
    (baseline_only, 0),
    (irradiated_before, 2),
    (small_sum, 2),
    (unequal_pair, 2),
)


def make() -> Trial:
    """Return the clean trial."""
    trial = Trial("mixed", "MIX", 20220517, COLUMNS, {"tumour_type": "solid tumours", "treatment": "study treatment"})
    for number, (course, visits) in enumerate(SUBJECTS, start=1):
        subject = Subject(trial, number, visits, arm="AB"[number % 2])
        subject.row["randomisation"] = (subject.start - timedelta(days=2)).isoformat()
        subject.read_by("R1")
        before = len(trial.visits)
        course(subject)
        if len(trial.visits) == before:
            _visits(subject)
    return trial


def _visits(subject: Subject) -> None:
    """Write the visits; where two evaluators read, each says whether there were new lesions."""
    rows = [row for row in subject.trial.measurements if row["subject"] == subject.id]
    evaluators = sorted({row["evaluator"] for row in rows})
    for evaluator in evaluators if len(evaluators) > 1 else ("",):
        new = [row for row in rows if row["role"] == "new" and row["evaluator"].startswith(evaluator)]
        found = {subject.labels.index(row["timepoint"]): "unequivocal" for row in new}
        subject.keep_visits(new_lesions=found, evaluator=evaluator)
