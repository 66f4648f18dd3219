"""Measuring on images, as the commands share it: with progress, and with what is to be told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from response.commands.logs import Log, Stages
from response.commands.summaries import counted

if TYPE_CHECKING:
    from response.findings import Finding
    from response.io.measure import Measured
    from response.io.study_runs import StudyTask
    from response.protocol import Protocol

_MOST_TOLD: Final = 20  # findings that are told one by one; the file lists all


@dataclass(frozen=True, kw_only=True)
class ImageInputs:
    """What a command says about images, beside their paths.

    Attributes
    ----------
    out
        The measurement table that is written; finished studies are kept beside it. None keeps nothing.
    pairs, lesions, roles, organs, remote, listed, jobs, scheduler
        As `io.measure.measure` takes them.
    fresh
        Whether finished studies are measured again.
    border_maps
        Whether the maps of the borders are kept.
    """

    out: Path | None = None
    pairs: Path | None = None
    lesions: Path | None = None
    roles: str = "propose"
    organs: bool = False
    remote: "Sequence[StudyTask]" = ()
    listed: "Sequence[Finding]" = ()
    jobs: int | None = 1
    scheduler: str | None = None
    fresh: bool = False
    border_maps: bool = False

    @property
    def files(self) -> list[Path]:
        """The files that are read."""
        return [path for path in (self.pairs, self.lesions) if path is not None]


def measure_with(
    log: Log, stages: Stages, paths: Sequence[Path], inputs: ImageInputs, protocol: "Protocol"
) -> "Measured":
    """Measure, and tell what was found; studies that were finished before are kept."""
    from response.imaging.options import MeasureOptions
    from response.io.measure import measure, store_beside

    store = None if inputs.out is None else store_beside(inputs.out)
    if store is not None and inputs.fresh:
        store.forget()
    found = measure(
        paths,
        options=replace(protocol.options("measure", MeasureOptions), border_maps=inputs.border_maps),
        pairs=inputs.pairs,
        lesion_map=inputs.lesions,
        roles="as_coded" if inputs.roles == "as_coded" else "propose",
        organs=inputs.organs,
        remote=inputs.remote,
        listed=inputs.listed,
        store=store,
        jobs=inputs.jobs,
        scheduler=inputs.scheduler,
        progress=stages.start("measuring studies"),
    )
    _tell(log, found)
    return found


def _tell(log: Log, found: "Measured") -> None:
    lesions = len(set(zip(*(found.table.column(name).texts() for name in ("subject", "lesion")), strict=True)))
    rows = len(found.table)
    log.tell(
        "measured",
        f"{counted(found.studies, 'study').replace('studys', 'studies')}: {counted(rows, 'row')} "
        f"of {counted(lesions, 'lesion')}",
        studies=found.studies,
        rows=rows,
        lesions=lesions,
        failed=found.failed,
    )
    shown = [finding for finding in found.findings if finding.severity != "info"]
    for finding in shown[:_MOST_TOLD]:
        log.alert("finding", f"{finding.file}: {finding.sentence}".removeprefix(": "), id=finding.id)
    if len(shown) > _MOST_TOLD:
        log.alert("finding", f"and {len(shown) - _MOST_TOLD} more; the file of findings lists all")
