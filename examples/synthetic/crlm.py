"""Colorectal liver metastases under chemotherapy with bevacizumab: Chun groups beside RECIST 1.1."""

from collections.abc import Sequence
from dataclasses import dataclass

from synthetic.build import Entry, Subject, Trial, seen

COLUMNS = (
    *("subject", "timepoint", "date", "lesion", "role", "organ", "location", "state", "longest_mm", "short_mm"),
    *("morphology", "interface_finding", "rim_finding", "modality", "phase", "slice_thickness_mm", "reason"),
)
# What is seen beside the group: a sharp interface in group 1, a rim in group 3 (Chun 2009, table 1).
ANCILLARY = {
    "1": {"interface_finding": "present", "rim_finding": "absent"},
    "2": {"interface_finding": "absent", "rim_finding": "absent"},
    "3": {"interface_finding": "absent", "rim_finding": "present"},
}


@dataclass(frozen=True)
class Course:
    """Sizes as factors of the baseline, groups per liver lesion from baseline on ("31": group 3, then 1; "-": gone).

    The third liver lesion and those after it are non-targets (two targets per organ). `lung`: a lung target beside.
    `new`: visit of a new liver lesion.
    """

    size: Sequence[float]
    groups: Sequence[str]
    recist: str
    chun: str
    lung: bool = False
    new: int = 99
    target: str = ""


COURSES = (
    # 3 -> 1 and 2 -> 1: optimal, while RECIST is stable
    Course((0.92, 0.88), ("311", "211"), "SD SD", "optimal optimal"),
    # 3 -> 2: incomplete
    Course((0.90, 0.80), ("322", "322"), "SD SD", "incomplete incomplete"),
    # unchanged: none
    Course((0.97, 0.95, 0.96), ("3333", "2222"), "SD SD SD", "none none none", lung=True),
    # 2 -> 3: none, and worse than at baseline
    Course((1.05, 1.36), ("223", "223"), "SD PD", "none none"),
    # group 1 at baseline cannot improve: not assessable
    Course((0.95, 0.90), ("111",), "SD SD", "NE NE"),
    # one lesion of group 1 at baseline leaves the vote
    Course((0.90, 0.82), ("311", "111"), "SD SD", "optimal optimal"),
    # one lesion vanishes
    Course((0.85, 0.78), ("311", "31-"), "SD PR", "optimal optimal"),
    # optimal morphology with a new liver lesion: PD by RECIST
    Course((0.86, 0.78), ("311", "311"), "SD PD", "optimal optimal", new=2, target="SD SD"),
    # a tie of optimal and none
    Course((0.93, 0.90), ("311", "333"), "SD SD", "none none"),
    # improves step by step
    Course((0.85, 0.64, 0.56), ("3211", "3211"), "SD PR PR", "incomplete optimal optimal"),
    # two of three optimal
    Course((0.88, 0.80), ("311", "311", "322"), "SD SD", "optimal optimal"),
    # optimal and RECIST PR
    Course((0.66, 0.55, 0.50), ("3111", "3111"), "PR PR PR", "optimal optimal optimal", lung=True),
    # incomplete, then back to the group of the baseline
    Course((0.90, 0.95), ("323", "323"), "SD SD", "incomplete none"),
    # group 2 becomes 1 after two visits
    Course((0.94, 0.89, 0.86), ("2211", "2211"), "SD SD SD", "none optimal optimal"),
    # one target hidden at visit 1: its group and the sum are missing there; the other lesion votes alone
    Course((0.95, 0.93), ("311", "3?1"), "NE SD", "optimal optimal"),
    # progression with group 3 throughout
    Course((1.08, 1.40), ("333", "333"), "SD PD", "none none", lung=True),
    # one lesion only
    Course((0.86, 0.60), ("321",), "SD PR", "incomplete optimal"),
    # all liver lesions vanish
    Course((0.50, 0.0), ("31-", "31-"), "PR CR", "optimal optimal"),
    # three lesions, none responding
    Course((0.99, 0.97), ("333", "222", "333"), "SD SD", "none none"),
    # regrowth from the nadir
    Course((0.64, 0.48, 0.66), ("3112", "3112"), "PR PR PD", "optimal optimal incomplete"),
)


def make() -> Trial:
    """Return the clean trial."""
    common = {
        "arm": "chemotherapy + bevacizumab",
        "tumour_type": "colorectal cancer",
        "treatment": "FOLFOX + bevacizumab",
    }
    trial = Trial("crlm", "CRLM", 20220309, COLUMNS, common)
    for number, course in enumerate(COURSES, start=1):
        _subject(trial, number, course)
    return trial


def _subject(trial: Trial, number: int, course: Course) -> None:
    subject = Subject(trial, number, len(course.size))
    for index, groups in enumerate(course.groups):
        target = index < 2
        sizes = subject.course(subject.whole(*((260, 520) if target else (140, 220))) / 10, course.size)
        entries = [_seen(sizes[visit], group) for visit, group in enumerate(groups)]
        if target:
            subject.target(f"T{index + 1}", "liver", entries, location=f"segment {4 + index}")
        else:
            subject.non_target(f"N{index - 1}", "liver", entries, location="segment 8", state="present")
    if course.lung:
        subject.target(
            f"T{len(course.groups) + 1}", "lung", subject.course(22.4, course.size), location="left lower lobe"
        )
    follow_up = len(course.size)
    if course.new <= follow_up:
        subject.new("X1", "liver", course.new, [12.6], location="segment 6")
    others = "Non-CR/Non-PD " * follow_up if len(course.groups) > 2 else ""
    subject.judge(course.recist, target=course.target, non_target=others, new=range(course.new, follow_up + 1))
    subject.grade(course.chun)


def _seen(size: float, group: str) -> Entry:
    if group == "-":
        return "absent"
    if group == "?":
        return seen("not_evaluable", reason="respiratory motion")
    return seen(size, morphology=group, **ANCILLARY[group])
