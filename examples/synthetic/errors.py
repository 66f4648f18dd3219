"""Plants errors into the trials, each of the kind that its finding's name says, and lists them.

Each subject gets one error. Where an error cannot but change a result, so that the collected response differs too, the
side effect is listed as a row of its own.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from synthetic.build import Row, Trial, counted, mm

PLANTED_COLUMNS = ("finding", "subject", "evaluator", "timepoint", "lesion", "what")


class Planter:
    """A trial under attack, and the list of what was done to it."""

    def __init__(self, trial: Trial) -> None:
        self.trial, self.planted = trial, list[Row]()

    def note(self, finding: str, subject: str, what: str, **where: str) -> None:
        """List a finding that must be found."""
        self.planted.append({"finding": finding, "subject": subject, "what": what, **where})

    def side_effect(self, subject: str, timepoints: str, why: str, **where: str) -> None:
        """List the differences from the collected responses that follow from the error."""
        for timepoint in timepoints.split():
            self.note("overall_differs", subject, f"side effect: {why}", timepoint=timepoint, **where)

    def rows(self, subject: str, **match: str) -> list[Row]:
        """Return the measurement rows of a subject."""
        wanted = {"subject": subject, **match}
        return [row for row in self.trial.measurements if wanted.items() <= row.items()]

    def row(self, subject: str, **match: str) -> Row:
        """Return the one measurement row that matches."""
        (found,) = self.rows(subject, **match)
        return found

    def insert_after(self, row: Row, new: Row) -> None:
        """Put a row below another."""
        self.trial.measurements.insert(self.trial.measurements.index(row) + 1, new)

    def remove(self, rows: list[Row]) -> None:
        """Take rows out."""
        self.trial.measurements = [row for row in self.trial.measurements if not any(row is gone for gone in rows)]

    def subject(self, subject: str) -> Row:
        """Return the row of the subject table."""
        (found,) = (row for row in self.trial.subjects if row["subject"] == subject)
        return found

    def collected(self, subject: str, timepoint: str = "", criterion: str = "recist-1.1") -> Row:
        """Return a collected row; without timepoint the one of the subject."""
        wanted = {"subject": subject, "criterion": criterion}
        rows = [row for row in self.trial.collected if wanted.items() <= row.items()]
        (found,) = (row for row in rows if row.get("timepoint", "") == timepoint)
        return found

    def new_sums(self, subject: str) -> None:
        """Write the sums anew where lesions were changed that their collector would have added up as they stand."""
        for row in self.trial.collected:
            if row["subject"] == subject and row.get("sum_mm"):
                keys = ("evaluator", "timepoint")
                same = {key: row[key] for key in keys if row.get(key)}
                row["sum_mm"] = mm(sum(counted(lesion) for lesion in self.rows(subject, role="target", **same)))


def moved(row: Row, days: int) -> str:
    """Return the date of a row, moved."""
    return (date.fromisoformat(row["date"]) + timedelta(days=days)).isoformat()


def scale(rows: list[Row], factor: float) -> None:
    """Make lesions larger or smaller."""
    for row in rows:
        for column in ("longest_mm", "short_mm"):
            if row.get(column):
                row[column] = mm(float(row[column]) * factor)


def plant(trial: Trial, errors: Sequence[Callable[[Planter], None]]) -> list[Row]:
    """Plant errors in a trial and return the list of them."""
    planter = Planter(trial)
    for error in errors:
        error(planter)
    return sorted(planter.planted, key=lambda row: row["subject"])


# --- rows


def duplicate_row(p: Planter) -> None:
    row = p.row("GIST-001", lesion="T1", timepoint="1")
    p.insert_after(row, dict(row))
    p.note("duplicate_row", "GIST-001", "the row stands twice", timepoint="1", lesion="T1")


def conflicting_rows(p: Planter) -> None:
    row = p.row("GIST-019", lesion="T2", timepoint="2")
    p.insert_after(row, {**row, "longest_mm": mm(float(row["longest_mm"]) + 6)})
    p.note("conflicting_rows", "GIST-019", "a second row with a diameter 6 mm longer", timepoint="2", lesion="T2")
    p.side_effect("GIST-019", "2", "the lesion is not evaluable there")


def missing_lesion(p: Planter) -> None:
    p.remove(p.rows("CRLM-004", lesion="T2", timepoint="1"))
    p.note("missing_lesion", "CRLM-004", "the row of a target was taken out", timepoint="1", lesion="T2")
    p.side_effect("CRLM-004", "1", "a target is missing")


def unknown_lesion(p: Planter) -> None:
    row = p.row("GIST-015", lesion="T2", timepoint="2")
    p.insert_after(row, {**row, "lesion": "T9"})
    p.note("unknown_lesion", "GIST-015", "a target without a baseline row", timepoint="2", lesion="T9")


def new_lesion_at_baseline(p: Planter) -> None:
    row = p.row("CRLM-009", lesion="T2", timepoint="0")
    p.insert_after(row, {**row, "lesion": "X1", "role": "new", "location": "segment 6"})
    p.note("new_lesion_at_baseline", "CRLM-009", "a new lesion in the baseline scan", timepoint="0", lesion="X1")


# --- cells


def unusable_cell(p: Planter) -> None:
    p.row("GIST-004", lesion="T1", timepoint="1")["short_mm"] = "abc"
    p.note("unusable_cell", "GIST-004", "short_mm is 'abc'", timepoint="1", lesion="T1")


def unusable_cell_with_unit(p: Planter) -> None:
    p.row("CRLM-011", lesion="T1", timepoint="1")["longest_mm"] = "1,8 cm"
    p.note("unusable_cell", "CRLM-011", "longest_mm is '1,8 cm'", timepoint="1", lesion="T1")
    p.side_effect("CRLM-011", "1", "the target has no number")


def short_longer_than_longest(p: Planter) -> None:
    row = p.row("GIST-003", lesion="T3", timepoint="1")
    row["short_mm"] = mm(float(row["longest_mm"]) + 4)
    p.note("short_longer_than_longest", "GIST-003", "short_mm is 4 mm above longest_mm", timepoint="1", lesion="T3")


def number_on_not_evaluable(p: Planter) -> None:
    p.row("GIST-012", lesion="T2", timepoint="2")["longest_mm"] = "41.0"
    p.note("number_on_not_evaluable", "GIST-012", "a diameter beside not_evaluable", timepoint="2", lesion="T2")


def number_on_absent(p: Planter) -> None:
    p.row("GIST-007", lesion="T2", timepoint="2")["longest_mm"] = "12.0"
    p.note("number_on_absent", "GIST-007", "a diameter beside absent", timepoint="2", lesion="T2")
    p.side_effect("GIST-007", "2", "the lesion is not evaluable there")


def looks_like_cm(p: Planter) -> None:
    for row in p.rows("GIST-018", state="measured"):
        for column in ("longest_mm", "short_mm"):
            row[column] = f"{float(row[column]) / 10:.2f}"
    p.note("looks_like_cm", "GIST-018", "all lengths of the subject are in cm")
    for row in p.rows("GIST-018", role="target", timepoint="0"):
        what = "side effect: below 10 mm as read"
        p.note("target_not_measurable", "GIST-018", what, timepoint="0", lesion=row["lesion"])


def target_without_baseline_value(p: Planter) -> None:
    row = p.row("CRLM-010", lesion="T1", timepoint="0")
    row |= {"state": "not_evaluable", "longest_mm": "", "short_mm": "", "morphology": "", "reason": "motion"}
    what = "not evaluable at baseline"
    p.note("target_without_baseline_value", "CRLM-010", what, timepoint="0", lesion="T1")
    p.side_effect("CRLM-010", "1 2 3", "the target response is NE throughout")


# --- choice of targets


def too_many_targets(p: Planter) -> None:
    for name, organ in (("T5", "mesentery"), ("T6", "pancreas")):
        _copy_lesion(p, "GIST-013", "T1", name, organ)
    p.note("too_many_targets", "GIST-013", "six targets")


def too_many_targets_in_organ(p: Planter) -> None:
    _copy_lesion(p, "GIST-016", "T1", "T4", "liver")
    p.note("too_many_targets_in_organ", "GIST-016", "three liver targets")


def _copy_lesion(p: Planter, subject: str, lesion: str, name: str, organ: str) -> None:
    for row in p.rows(subject, lesion=lesion):
        copy = {**row, "lesion": name, "organ": organ, "location": ""}
        scale([copy], 0.7)
        p.insert_after(row, copy)
    p.new_sums(subject)


def target_not_measurable(p: Planter) -> None:
    first = float(p.row("CRLM-005", lesion="T1", timepoint="0")["longest_mm"])
    scale(p.rows("CRLM-005", lesion="T1"), 8.4 / first)
    p.new_sums("CRLM-005")
    p.note("target_not_measurable", "CRLM-005", "8.4 mm at baseline", timepoint="0", lesion="T1")


def target_below_two_slices(p: Planter) -> None:
    for row in p.rows("CRLM-006"):
        row["slice_thickness_mm"] = "10"
    first = float(p.row("CRLM-006", lesion="T2", timepoint="0")["longest_mm"])
    scale(p.rows("CRLM-006", lesion="T2"), 16.0 / first)
    p.new_sums("CRLM-006")
    p.note("target_not_measurable", "CRLM-006", "16.0 mm on slices of 10 mm", timepoint="0", lesion="T2")


def nodal_target_too_small(p: Planter) -> None:
    scale(p.rows("MIX-013", lesion="T2", evaluator="R2"), 0.65)
    p.new_sums("MIX-013")
    what = "short axis 13 mm at baseline"
    p.note("nodal_target_too_small", "MIX-013", what, evaluator="R2", timepoint="0", lesion="T2")


def non_measurable_target(p: Planter) -> None:
    for row in p.rows("MIX-001", lesion="T2"):
        row["lesion_type"] = "lymphangitic"
    what = "lymphangitic spread as a target"
    p.note("non_measurable_target", "MIX-001", what, evaluator="R1", timepoint="0", lesion="T2")


def previously_treated_target(p: Planter) -> None:
    for row in p.rows("MIX-034", lesion="T1"):
        row["previously_treated"] = "yes"
    what = "irradiated before, no progression since"
    p.note("previously_treated_target", "MIX-034", what, evaluator="R1", timepoint="0", lesion="T1")


def chest_xray_target(p: Planter) -> None:
    for row in p.rows("MIX-012", lesion="T2", evaluator="R1"):
        row |= {"modality": "X-ray", "phase": "", "slice_thickness_mm": ""}
    what = "18 mm at baseline, on chest X-ray"
    p.note("chest_xray_target", "MIX-012", what, evaluator="R1", timepoint="0", lesion="T2")


# --- lesions over time


def role_change(p: Planter) -> None:
    p.row("CRLM-003", lesion="T2", timepoint="2")["role"] = "non_target"
    p.note("role_change", "CRLM-003", "a target becomes a non-target", timepoint="2", lesion="T2")


def organ_change(p: Planter) -> None:
    p.row("CRLM-002", lesion="T2", timepoint="2")["organ"] = "lung"
    p.note("organ_change", "CRLM-002", "liver becomes lung", timepoint="2", lesion="T2")


def lesion_swap(p: Planter) -> None:
    one, other = (p.row("MIX-036", lesion=lesion, timepoint="2") for lesion in ("T1", "T2"))
    for column in ("longest_mm", "short_mm"):
        one[column], other[column] = other[column], one[column]
    p.note("lesion_swap", "MIX-036", "T1 and T2 exchanged their sizes", evaluator="R1", timepoint="2")


def cyclic_merge(p: Planter) -> None:
    for lesion, parent in (("T1", "T2"), ("T2", "T1")):
        row = p.row("MIX-018", lesion=lesion, timepoint="2")
        row |= {"state": "merged", "parent": parent, "longest_mm": "", "short_mm": ""}
    p.note("cyclic_merge", "MIX-018", "T1 merged into T2 and T2 into T1", evaluator="R1", timepoint="2")
    p.side_effect("MIX-018", "2", "nothing is left to measure", evaluator="R1")


def unknown_parent(p: Planter) -> None:
    p.row("MIX-017", lesion="T1.2", timepoint="2")["parent"] = "T9"
    what = "a fragment of a lesion that is not there"
    p.note("unknown_parent", "MIX-017", what, evaluator="R1", timepoint="2", lesion="T1.2")


# --- technique and dates


def method_change_phase(p: Planter) -> None:
    for row in p.rows("GIST-005", timepoint="2"):
        before = float(p.row("GIST-005", lesion=row["lesion"], timepoint="0")["attenuation_hu"])
        row |= {"phase": "arterial", "attenuation_hu": mm(before * 1.25), "nodule": "none", "reason": ""}
    p.note(
        "method_change", "GIST-005", "arterial instead of portal venous; attenuation cannot be compared", timepoint="2"
    )


def method_change_modality(p: Planter) -> None:
    for row in p.rows("GIST-006", timepoint="3"):
        row |= {"modality": "MR", "attenuation_hu": ""}
    p.note("method_change", "GIST-006", "MR instead of CT", timepoint="3")


def method_change_slice(p: Planter) -> None:
    for row in p.rows("CRLM-012", timepoint="2"):
        row["slice_thickness_mm"] = "10"
    p.note("method_change", "CRLM-012", "slices of 10 mm", timepoint="2")


def dates_out_of_order(p: Planter) -> None:
    second, third = (p.rows("GIST-011", timepoint=timepoint) for timepoint in ("2", "3"))
    days = second[0]["date"], third[0]["date"]
    for row in [*second, *third]:
        row["date"] = days[row["timepoint"] == "2"]
    p.note("dates_out_of_order", "GIST-011", "the dates of visits 2 and 3 are exchanged")


def date_in_future(p: Planter) -> None:
    for row in p.rows("GIST-014", timepoint="4"):
        row["date"] = f"{int(row['date'][:4]) + 60}{row['date'][4:]}"
    p.note("date_in_future", "GIST-014", "60 years too late", timepoint="4")
    p.note("out_of_window", "GIST-014", "side effect: far from the planned day", timepoint="4")


def out_of_window(p: Planter) -> None:
    for row in [*p.rows("GIST-020", timepoint="2"), p.collected("GIST-020", "2"), p.collected("GIST-020", "2", "choi")]:
        row["date"] = moved(row, 20)
    p.note("out_of_window", "GIST-020", "20 days late", timepoint="2")


def baseline_too_old(p: Planter) -> None:
    start = {"date": p.subject("GIST-010")["treatment_start"]}
    for row in p.rows("GIST-010", timepoint="0"):
        row["date"] = moved(start, -45)
    p.note("baseline_too_old", "GIST-010", "45 days before treatment", timepoint="0")


def no_baseline(p: Planter) -> None:
    p.remove(p.rows("GIST-017", timepoint="0"))
    p.note("no_baseline", "GIST-017", "the baseline rows were taken out")


def response_after_new_therapy(p: Planter) -> None:
    first = p.row("MIX-023", lesion="T1", timepoint="1")
    p.subject("MIX-023").update(treatment_end=moved(first, 1), new_therapy=moved(first, 12))
    what = "the next therapy starts after visit 1"
    p.note("response_after_new_therapy", "MIX-023", what, evaluator="R1", timepoint="2")


# --- collected responses: what a person wrote down, by a usual slip


def _slip(
    subject: str, timepoint: str, overall: str, what: str, target: str = "", **cells: str
) -> Callable[[Planter], None]:
    def plant(p: Planter) -> None:
        row = p.collected(subject, timepoint)
        row |= {"overall": overall, "target": target or row["target"], **cells}
        p.note("overall_differs", subject, what, evaluator="R1", timepoint=timepoint)

    return plant


def _best(subject: str, best: str) -> Callable[[Planter], None]:
    def plant(p: Planter) -> None:
        row = p.collected(subject)
        what = f"best response {best} instead of {row['best_response']}"
        row["best_response"] = best
        p.note("best_response_differs", subject, what, evaluator="R1")

    return plant


def _progression(subject: str, timepoint: str) -> Callable[[Planter], None]:
    def plant(p: Planter) -> None:
        p.collected(subject)["progression_date"] = p.collected(subject, timepoint)["date"]
        what = f"progression dated to visit {timepoint}"
        p.note("progression_date_differs", subject, what, evaluator="R1")

    return plant


GIST = (
    *(duplicate_row, conflicting_rows, unknown_lesion, unusable_cell, short_longer_than_longest),
    *(number_on_not_evaluable, number_on_absent, looks_like_cm, too_many_targets, too_many_targets_in_organ),
    *(method_change_phase, method_change_modality, dates_out_of_order, date_in_future, out_of_window),
    *(baseline_too_old, no_baseline),
)
CRLM = (
    *(missing_lesion, new_lesion_at_baseline, unusable_cell_with_unit, target_without_baseline_value),
    *(target_not_measurable, target_below_two_slices, role_change, organ_change, method_change_slice),
)
MIXED = (
    *(nodal_target_too_small, non_measurable_target, previously_treated_target, chest_xray_target),
    *(lesion_swap, cyclic_merge, unknown_parent, response_after_new_therapy),
    _slip("MIX-005", "3", "PR", "compared with the baseline, not with the nadir", "PR"),
    _slip("MIX-035", "2", "PD", "+25 % but only 3 mm: the 5 mm were forgotten", "PD"),
    _slip("MIX-028", "2", "CR", "a node of 11 mm taken for normal", "CR"),
    _slip("MIX-025", "2", "PR", "the missing target counted as 0", "PR", sum_mm="27.0"),
    _slip("MIX-007", "2", "PR", "the new lesion was ignored", new_lesion="No"),
    _slip("MIX-006", "2", "SD", "the progression of the non-target was ignored", non_target="Non-CR/Non-PD"),
    _slip("MIX-004", "2", "CR", "the remaining non-target was ignored", non_target="CR"),
    _best("MIX-010", "SD"),
    _best("MIX-003", "PR"),
    _progression("MIX-029", "3"),
    _progression("MIX-030", "2"),
)
