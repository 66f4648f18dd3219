"""Edit checks of the baseline: how many targets, whether they can be measured, what else was recorded there.

Source: Eisenhauer et al., Eur J Cancer 2009;45:228-247, sections 3.1, 3.2 and 4.2.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from response.cells import NO_NUMBER, NO_ROW, thousandths_text
from response.checks.scene import Check, Grouped, Scene
from response.findings import Finding, Severity
from response.measurability import (
    REASONS,
    SITE_COLUMNS,
    THICK_SLICE_UM,
    NotMeasurable,
    baseline_lesions,
    site_text,
)
from response.readings import PATHOLOGICAL_NODE_UM
from response.vocabulary import LYMPH_NODE, LesionType, Role, State, never_measurable_kind, organ_of, text_of

LARGEST_TARGETS: Final = 5  # section 4.2
LARGEST_PER_ORGAN: Final = 2  # section 4.2

_SIZE_IDS: Final = {
    NotMeasurable.XRAY: "chest_xray_target",
    NotMeasurable.SMALL_NODE: "nodal_target_too_small",
    NotMeasurable.NORMAL_NODE: "nodal_target_too_small",
    NotMeasurable.SMALL: "target_not_measurable",
    NotMeasurable.THIN_FOR_SLICE: "target_not_measurable",
    NotMeasurable.KIND: "non_measurable_target",
    NotMeasurable.SITE: "non_measurable_target",
    NotMeasurable.METHOD: "non_measurable_target",
}
_SIZE_SENTENCES: Final = {
    NotMeasurable.XRAY: "A target on chest X-ray measures {size}; it needs at least 20 mm.",
    NotMeasurable.SMALL_NODE: "The short axis of a nodal target is {size}; it needs at least 15 mm.",
    NotMeasurable.NORMAL_NODE: "The short axis of a nodal target is {size}; below 10 mm a node is normal.",
    NotMeasurable.SMALL: "The target measures {size}; it needs at least 10 mm.",
    NotMeasurable.THIN_FOR_SLICE: "The target measures {size} on slices of {slice} mm; it needs twice the slice.",
    NotMeasurable.KIND: "The target is of a kind that is never measurable ({kind}).",
    NotMeasurable.SITE: "By its site ({site}) the target is of a kind that is never measurable ({kind}).",
    NotMeasurable.METHOD: "The target was seen by {modality}, which does not measure.",
}
_BY_SITE: Final = (
    "Make it a non-target; where it does have an extent to measure, record which in lesion_type (solid, "
    "lytic_soft_tissue ...)."
)
_REMEDY: Final = "Check the value; if it is right, ask whether the lesion should have been a non-target."


def too_many_targets(scene: Scene) -> Iterator[Finding]:
    """More than five targets."""
    targets = scene.targets[0]
    series_of_target = scene.timeline.series_of_track[targets]
    count = np.bincount(series_of_target, minlength=len(scene.timeline.series))
    lesions = Grouped(series_of_target, targets)

    def make(series: int) -> Finding:
        own = lesions.of(series)
        return scene.of_series(
            series,
            "too_many_targets",
            "warning",
            found=f"{count[series]} targets: {scene.lesion_names(own)}",
            expected=f"at most {LARGEST_TARGETS}",
            sentence=f"The subject has {count[series]} target lesions; RECIST 1.1 allows {LARGEST_TARGETS}.",
            remedy="Ask which lesions are targets, and make the others non-targets.",
        )

    return scene.notes(np.flatnonzero(count > LARGEST_TARGETS), make)


def too_many_targets_in_organ(scene: Scene) -> Iterator[Finding]:
    """More than two targets of one organ; paired organs and all nodes count as one."""
    targets = scene.targets[0]
    column = scene.measurements.text_column("organ")
    texts = [organ_of(text) if text else "" for text in column.values]
    organs = list(dict.fromkeys(["", LYMPH_NODE, *texts]))
    lut = np.asarray([organs.index(text) for text in texts], np.int64)
    organ = np.where(scene.timeline.tracks.nodal[targets], 1, lut[column.codes[scene.baseline_row[targets]]])
    keys = scene.timeline.series_of_track[targets].astype(np.int64) * len(organs) + organ
    distinct, count = np.unique(keys, return_counts=True)
    lesions = Grouped(keys, targets)

    def make(place: int) -> Finding:
        series, name = int(distinct[place] // len(organs)), organs[int(distinct[place] % len(organs))]
        own = lesions.of(int(distinct[place]))
        return scene.of_series(
            series,
            "too_many_targets_in_organ",
            "warning",
            column="organ",
            found=f"{count[place]} targets in {name}: {scene.lesion_names(own)}",
            expected=f"at most {LARGEST_PER_ORGAN} in one organ (paired organs, and all nodes, are one)",
            sentence=f"{count[place]} targets stand in one organ ({name}); RECIST 1.1 allows {LARGEST_PER_ORGAN}.",
            remedy="Ask which two lesions of the organ are targets, and make the others non-targets.",
        )

    return scene.notes(np.flatnonzero((count > LARGEST_PER_ORGAN) & (distinct % len(organs) > 0)), make)


def unmeasurable_targets(scene: Scene) -> Iterator[Finding]:
    """Targets that are too small, on thick slices, or of a kind or method that does not measure."""
    targets, lesions = scene.targets
    modality = scene.measurements.text_column("modality")
    for reason, id_ in _SIZE_IDS.items():

        def make(place: int, reason: NotMeasurable = reason, id_: str = id_) -> Finding:
            row = int(lesions.rows[place])
            told = {
                "size": lesions.sized(place),
                "slice": thousandths_text(int(lesions.slice_um[place])),
                "kind": text_of(LesionType(int(lesions.kind[place]))).replace("_", " "),
                "modality": modality.text(row),
                "site": _site(scene, row),
            }
            found = {NotMeasurable.KIND: "kind", NotMeasurable.SITE: "site", NotMeasurable.METHOD: "modality"}
            return scene.of_baseline(
                int(targets[place]),
                id_,
                "warning",
                column=_column(scene, int(targets[place]), reason),
                found=told[found.get(reason, "size")],
                expected=REASONS[reason][1],
                sentence=_SIZE_SENTENCES[reason].format(**told),
                remedy=_BY_SITE if reason == NotMeasurable.SITE else _REMEDY,
            )

        yield from scene.notes(np.flatnonzero(lesions.why == reason), make)


def _site(scene: Scene, row: int) -> str:
    """Return the words that tell the kind of a lesion: of its organ and location, else its name as well."""
    columns = [scene.measurements.text_column(name) for name in SITE_COLUMNS]
    codes = [int(column.codes[row]) for column in columns]
    place = site_text(columns[:-1], codes[:-1])
    return place if never_measurable_kind(place) else site_text(columns, codes)


def _column(scene: Scene, track: int, reason: NotMeasurable) -> str:
    if reason in (NotMeasurable.KIND, NotMeasurable.SITE):
        return "lesion_type"
    if reason == NotMeasurable.METHOD:
        return "modality"
    return "short_mm" if scene.timeline.tracks.nodal[track] else "longest_mm"


def nodes_on_thick_slices(scene: Scene) -> Iterator[Finding]:
    """Nodal targets on slices above 5 mm, where the protocol does not ask for twice the slice (criteria page, 1.2)."""
    targets, lesions = scene.targets
    nodal = scene.timeline.tracks.nodal[targets]
    thick = nodal & (lesions.slice_um > THICK_SLICE_UM) & (lesions.why == NotMeasurable.NO)
    thick &= lesions.length_um < 2 * lesions.slice_um.astype(np.int64)

    def make(place: int) -> Finding:
        slices = thousandths_text(int(lesions.slice_um[place]))
        return scene.of_baseline(
            int(targets[place]),
            "node_on_thick_slices",
            "warning",
            column="slice_thickness_mm",
            found=f"{lesions.sized(place)} on slices of {slices} mm",
            expected="slices of at most 5 mm, or a short axis of twice the slice",
            sentence=f"A nodal target of {lesions.sized(place)} was measured on slices of {slices} mm.",
            remedy="Check the slice thickness; the protocol decides whether the node may be a target.",
        )

    return scene.notes(np.flatnonzero(thick), make)


def bone_targets(scene: Scene) -> Iterator[Finding]:
    """Targets in bone of which no kind is recorded: only a soft tissue component can be measured (section 3.1.2)."""
    targets, lesions = scene.targets
    organ = scene.measurements.text_column("organ")
    bone = np.asarray([organ_of(text) == "bone" for text in organ.values], np.bool_)[organ.codes[lesions.rows]]
    unknown = (lesions.kind == LesionType.BLANK) & (lesions.why == NotMeasurable.NO)

    def make(place: int) -> Finding:
        return scene.of_baseline(
            int(targets[place]),
            "bone_target",
            "info",
            column="lesion_type",
            found="blank",
            expected="lytic_soft_tissue, or a non-target",
            sentence="A target lies in bone; only a soft tissue component can be measured there, and none is recorded.",
            remedy="Where it has one, record lytic_soft_tissue in lesion_type; else make the lesion a non-target.",
        )

    return scene.notes(np.flatnonzero(bone & unknown), make)


def treated_targets(scene: Scene) -> Iterator[Finding]:
    """Targets that were treated locally before and have not grown since (section 3.2)."""
    targets, lesions = scene.targets

    def make(place: int) -> Finding:
        return scene.of_baseline(
            int(targets[place]),
            "previously_treated_target",
            "warning",
            column="previously_treated",
            found="yes",
            expected="no, or progressed_since",
            sentence="The target was treated locally before, and no progression since then is recorded.",
            remedy="Ask whether the lesion progressed after the treatment; if not, it is a non-target.",
        )

    return scene.notes(np.flatnonzero(lesions.treated), make)


def cystic_targets(scene: Scene) -> Iterator[Finding]:
    """Cystic targets where a measurable lesion that is not cystic was left out (section 3.2)."""
    targets, lesions = scene.targets
    if not lesions.cystic.any():
        return
    others = np.sort(np.concatenate([scene.baseline_tracks(role) for role in (Role.NON_TARGET, Role.CANDIDATE)]))
    rows = scene.baseline_row[others]
    judged = baseline_lesions(scene.measurements, rows, scene.timeline.tracks.nodal[others], read_sites=True)
    free = (judged.why == NotMeasurable.NO) & ~judged.cystic & ~judged.treated
    series = scene.timeline.series_of_track
    better = np.isin(series[targets], series[others[free]])
    alternatives = Grouped(series[others[free]], others[free])

    def make(place: int) -> Finding:
        own = alternatives.of(int(series[targets[place]]))
        return scene.of_baseline(
            int(targets[place]),
            "cystic_target",
            "info",
            column="lesion_type",
            found="cystic",
            expected="a lesion that is not cystic, where there is one",
            sentence=f"The target is cystic, while {scene.lesion_names(own)} would be measurable and is not cystic.",
            remedy="Non-cystic lesions are preferred as targets.",
        )

    yield from scene.notes(np.flatnonzero(lesions.cystic & better), make)


def normal_nodes(scene: Scene) -> Iterator[Finding]:
    """Non-target nodes that are normal at baseline."""
    tracks = scene.baseline_tracks(Role.NON_TARGET)
    tracks = tracks[scene.timeline.tracks.nodal[tracks]]
    lengths = scene.lengths[scene.baseline_row[tracks]]
    normal = (lengths != NO_NUMBER) & (lengths < PATHOLOGICAL_NODE_UM)

    def make(place: int) -> Finding:
        return scene.of_baseline(
            int(tracks[place]),
            "normal_node_recorded",
            "info",
            column="short_mm",
            found=f"{thousandths_text(int(lengths[place]))} mm",
            expected="a short axis of at least 10 mm",
            sentence="A node below 10 mm is normal and no lesion; as a non-target it counts as gone from the start.",
            remedy="Leave the node out, or correct its short axis.",
        )

    return scene.notes(np.flatnonzero(normal), make)


def targets_without_value(scene: Scene) -> Iterator[Finding]:
    """Targets without a usable value at baseline: the target response is NE throughout."""
    timeline = scene.timeline
    targets = scene.targets[0]
    place = timeline.series.baseline[timeline.series_of_track[targets]]
    state = timeline.state[timeline.spot_start[targets] + place]

    def make(place: int) -> Finding:
        return scene.of_baseline(
            int(targets[place]),
            "target_without_baseline_value",
            "error",
            column=_column(scene, int(targets[place]), NotMeasurable.SMALL),
            found="no usable value at baseline",
            expected="a diameter at baseline",
            sentence="A target has no usable value at baseline, so the target response is NE at every timepoint.",
            remedy="Add the baseline value, or make the lesion a non-target.",
        )

    return scene.notes(np.flatnonzero(np.isin(state, (State.NOT_EVALUABLE, State.MISSING))), make)


def new_lesions_at_baseline(scene: Scene) -> Iterator[Finding]:
    """Rows of new lesions at or before the baseline."""
    new = scene.used(np.flatnonzero(scene.measurements.code("role") == Role.NEW))
    baseline = scene.timeline.series.baseline[scene.timeline.series_of_cell]
    early = new[(scene.timeline.place <= baseline)[scene.cell[new]]]

    def make(used: int) -> Finding:
        severity: Severity = "error"
        return scene.of_spot(
            int(scene.spots[used]),
            "new_lesion_at_baseline",
            severity,
            column="role",
            found="new",
            expected="target or non_target at baseline",
            sentence="A new lesion stands at the baseline timepoint, where no lesion can be new.",
            remedy="Correct the role, or the timepoint of the row.",
        )

    return scene.notes(early, make)


def non_targets_with_diameter(scene: Scene) -> Iterator[Finding]:
    """Non-targets (not nodes) with diameters; told once for each lesion."""
    tracks = scene.baseline_tracks(Role.NON_TARGET)
    tracks = tracks[~scene.timeline.tracks.nodal[tracks] & (scene.baseline_row[tracks] != NO_ROW)]
    lengths = scene.lengths[scene.baseline_row[tracks]]

    def make(place: int) -> Finding:
        return scene.of_baseline(
            int(tracks[place]),
            "non_target_with_diameter",
            "info",
            column="longest_mm",
            found=f"{thousandths_text(int(lengths[place]))} mm",
            expected="a status (present, absent ...)",
            sentence="A non-target has a diameter; diameters of non-targets are never part of the sum.",
            remedy="Nothing, unless the lesion was meant as a target.",
        )

    return scene.notes(np.flatnonzero(lengths > 0), make)


TARGET_CHECKS: Final[tuple[Check, ...]] = (
    too_many_targets,
    too_many_targets_in_organ,
    unmeasurable_targets,
    nodes_on_thick_slices,
    bone_targets,
    treated_targets,
    cystic_targets,
    normal_nodes,
    targets_without_value,
    new_lesions_at_baseline,
    non_targets_with_diameter,
)
