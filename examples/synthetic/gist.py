"""A GIST trial under imatinib: size and attenuation of every target, RECIST 1.1 and Choi side by side.

Every course is written as factors of the baseline, safely off the thresholds (RECIST -30 %, +20 %; Choi size 10 %,
attenuation -15 %): with 1 % of noise per lesion the category is the one that stands beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from synthetic.build import Seen, Subject, Trial, mm, seen

COLUMNS = (
    *("subject", "timepoint", "date", "lesion", "role", "organ", "location", "state", "longest_mm", "short_mm"),
    *("attenuation_hu", "nodule", "cystic_finding", "modality", "phase", "slice_thickness_mm", "reason"),
)
CYSTIC_FROM = 0.66  # of the attenuation at baseline: what fell so far looks cystic
SITES = (
    ("T1", "liver", "segment 7"),
    ("T2", "peritoneum", "left upper abdomen"),
    ("T3", "liver", "segment 4"),
    ("T4", "stomach", "greater curvature"),
)


@dataclass(frozen=True)
class Course:
    """Size and attenuation as factors of the baseline by visit, and the responses that follow from them.

    `lost`: visit from which the second target is absent. `nodules`: of the first target by visit. `silent`: visits
    whose attenuation was not read. `blurred`: visit at which the second target is not evaluable. `new`: visit of a
    new lesion. `others`: non-target response by visit, blank without non-targets.
    """

    size: Sequence[float]
    hu: Sequence[float]
    recist: str
    choi: str
    targets: int = 3
    target: str = ""
    lost: int = 99
    nodules: Mapping[int, str] = field(default_factory=dict)
    silent: Sequence[int] = ()
    blurred: int = 99
    new: int = 99
    others: str = ""


COURSES = (
    # Choi PR at once by attenuation alone, RECIST stays SD
    Course((0.98, 0.95, 0.94), (0.75, 0.65, 0.62), "SD SD SD", "PR PR PR"),
    # size +30 % with attenuation -40 %: PD by RECIST, PR by Choi
    Course((1.03, 1.31, 1.34), (0.70, 0.60, 0.58), "SD PD PD", "PR PR PR", targets=2),
    # new intratumoral nodule, which then grows
    Course((0.94, 0.95, 0.96), (0.76, 0.78, 0.80), "SD SD SD", "PR PD PD", nodules={2: "new", 3: "growing"}),
    # new intratumoral nodule in a lesion that shrank by RECIST
    Course((0.80, 0.62, 0.63), (0.72, 0.70, 0.74), "SD PR PR", "PR PR PD", nodules={3: "new"}),
    # stable in both; at visit 2 only an arterial phase, attenuation not read: Choi NE there
    Course((0.99, 0.98, 0.97), (0.95, 0.96, 0.94), "SD SD SD", "SD NE SD", silent=(2,)),
    # attenuation not read, but size alone is PR
    Course((0.84, 0.81, 0.80), (0.92, 0.90, 0.91), "SD SD SD", "PR PR PR", silent=(2,)),
    # one lesion vanishes: its attenuation leaves both dates
    Course((0.85, 0.80, 0.80), (0.74, 0.70, 0.68), "SD PR PR", "PR PR PR", lost=2),
    # new liver lesion while the old ones respond
    Course((0.93, 0.88, 0.87), (0.70, 0.66, 0.66), "SD PD PD", "PR PD PD", new=2, target="SD SD SD"),
    # everything gone
    Course((0.55, 0.0, 0.0), (0.60, 0.0, 0.0), "PR CR CR", "PR CR CR", targets=2),
    # growth of 14 % without loss of attenuation: PD by Choi before RECIST
    Course((1.14, 1.37), (1.00, 1.03), "SD PD", "PD PD"),
    # size -15 % with rising attenuation is still PR by Choi
    Course((0.95, 0.85, 0.84), (1.10, 1.28, 1.30), "SD SD SD", "SD PR PR"),
    # one target hidden by artefact at visit 2: NE in both
    Course((0.96, 0.95, 0.94), (0.93, 0.92, 0.93), "SD NE SD", "SD NE SD", blurred=2),
    # regrowth from the nadir, attenuation back to baseline
    Course((0.62, 0.50, 0.69), (0.72, 0.66, 0.97), "PR PR PD", "PR PR PD", targets=4),
    # stable in both
    Course((1.02, 1.01, 1.03, 1.02), (0.98, 0.97, 0.95, 0.96), "SD SD SD SD", "SD SD SD SD"),
    # responds in both, with non-targets that stay
    Course((0.78, 0.61, 0.52, 0.50), (0.65, 0.55, 0.50, 0.50), "SD PR PR PR", "PR PR PR PR", others="present"),
    # Choi PR two visits before RECIST PR
    Course((0.96, 0.82, 0.60), (0.78, 0.66, 0.60), "SD SD PR", "PR PR PR", others="present"),
    # early progression
    Course((1.42,), (1.05,), "PD", "PD", targets=2),
    # peritoneal non-targets progress unequivocally
    Course((0.97, 0.96), (0.94, 0.93), "SD PD", "SD PD", target="SD SD", others="progress"),
    # stable in both
    Course((0.97, 0.95, 0.96), (0.93, 0.94, 0.92), "SD SD SD", "SD SD SD", targets=4),
    # slow responder in both
    Course((0.96, 0.80, 0.63, 0.58), (0.95, 0.72, 0.60, 0.61), "SD SD PR PR", "SD PR PR PR"),
)


def make() -> Trial:
    """Return the clean trial."""
    common = {"arm": "imatinib 400 mg", "tumour_type": "GIST", "treatment": "imatinib"}
    trial = Trial("gist", "GIST", 20220211, COLUMNS, common)
    for number, course in enumerate(COURSES, start=1):
        _subject(trial, number, course)
    return trial


def _subject(trial: Trial, number: int, course: Course) -> None:
    subject = Subject(trial, number, len(course.size))
    for index, (name, organ, location) in enumerate(SITES[: course.targets]):
        sizes = subject.course(subject.whole(320, 880) / 10, course.size)
        density = subject.course(subject.whole(620, 890) / 10, course.hu)
        rows = [_seen(course, index, visit, sizes[visit], density[visit]) for visit in range(len(sizes))]
        subject.target(name, organ, rows, location=location)
    follow_up = len(course.size)
    if course.others:
        last = "unequivocal_progression" if course.others == "progress" else "present"
        states = [*["present"] * follow_up, last]
        subject.non_target("N1", "peritoneum", states, location="multiple small deposits")
    if course.new <= follow_up:
        subject.new("X1", "liver", course.new, [14.2, 17.5][: follow_up - course.new + 1], location="segment 2")
    others = ["Non-CR/Non-PD"] * follow_up if course.others else []
    if course.others == "progress":
        others[-1] = "PD"
    new = range(course.new, follow_up + 1)
    subject.judge(course.recist, target=course.target, non_target=" ".join(others), new=new)
    subject.judge(course.choi, criterion="choi", parts=False)


def _seen(course: Course, index: int, visit: int, size: float, hu: float) -> Seen:
    if visit and (course.size[visit - 1] == 0 or (index == 1 and visit >= course.lost)):
        return seen("absent")
    if index == 1 and visit == course.blurred:
        return seen("not_evaluable", reason="streak artefact")
    if visit in course.silent:
        return seen(size, phase="", reason="portal venous phase failed, attenuation not read")
    nodule = course.nodules.get(visit, "none") if index == 0 else "none"
    cystic = "present" if visit and course.hu[visit - 1] <= CYSTIC_FROM else "absent"
    return seen(size, attenuation_hu=mm(hu), nodule=nodule, cystic_finding=cystic)
