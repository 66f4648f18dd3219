"""Measures one study: reads its series one after the other, measures what is segmented on it, and reads its reports."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from response.errors import ResponseError, place_of_fault
from response.findings import Finding
from response.imaging.adc import AdcMap
from response.imaging.contrast import CONTRAST, UNENHANCED, is_enhanced
from response.imaging.lesion_mask import LesionMask
from response.imaging.measuring import Scene, measure_lesion
from response.imaging.morphology import Suggestion
from response.imaging.options import MeasureOptions
from response.imaging.paired import why_apart, why_not_unenhanced
from response.imaging.volume import Volume
from response.io.image_files import is_image_file, read_image_file
from response.io.paired_series import ADC_MAP, UNENHANCED_SERIES, Beside
from response.io.studies import MaskOfImage, Study, grouped_by_image
from response.io.study_store import UNUSABLE, StudyResult
from response.observations import Observation
from response.vocabulary import organ_of

_T = TypeVar("_T")


def measure_study(study: Study, options: MeasureOptions) -> StudyResult:
    """Measure one study; a file that cannot be used becomes a finding, and the others go on.

    Parameters
    ----------
    study
        Its files.
    options
        How lesions are measured.
    """
    measuring = _Measuring(study, options)
    for image, masks in grouped_by_image(study.masks).items():
        measuring.on_image(image, masks)
    for report in study.reports:
        measuring.from_report(report)
    return StudyResult(
        observations=measuring.observations,
        findings=measuring.findings,
        failed=bool(measuring.lost) and not measuring.observations,
    )


class _Measuring:
    """One study while it is measured."""

    def __init__(self, study: Study, options: MeasureOptions) -> None:
        self.study, self.options = study, options
        self.observations: list[Observation] = []
        self.findings: list[Finding] = []
        self.lost = 0
        self.beside: dict[tuple[Path, ...], Any] = {}  # images beside the one that is measured, by their files

    def on_image(self, image: tuple[Path, ...], masks: Sequence[MaskOfImage]) -> None:
        """Measure all masks of one image."""
        volume = self._volume(image, masks)
        for item in masks:
            with self._isolated(item.mask):
                self._on_mask(item, volume)
        self.beside.clear()

    def _volume(self, image: tuple[Path, ...], masks: Sequence[MaskOfImage]) -> Volume | None:
        from response.io.images import read_series

        volume = None
        with self._isolated(image[0] if image else masks[0].mask):
            if image and is_image_file(image[0]):
                volume = self._image_file(image[0], masks[0], masks[0].phase)
            elif image:
                volume = read_series(image, instances=lambda: _drawn_on(masks))
        if volume is None:
            return None
        self.findings += [self._finding("image_geometry", fault, image[0].parent) for fault in volume.faults]
        return volume

    def _image_file(self, path: Path, item: MaskOfImage, phase: str) -> Volume:
        volume = read_image_file(path)
        modality = item.modality or self.options.file_modality
        return replace(volume, acquisition=replace(volume.acquisition, modality=modality, phase=phase))

    def _on_mask(self, item: MaskOfImage, volume: Volume | None) -> None:
        from response.io.masks import read_masks

        found = read_masks(item.mask, volume, labels=item.labels)
        self.findings += [self._placed(finding) for finding in found.findings]
        image = None if found.is_own_grid else volume
        lesions = [mask for mask in found.masks if not mask.name.is_organ]
        scene = Scene(grid=found.grid, volume=image, liver=_liver(found.masks), lesions=lesions)
        if image is not None and any(mask.voxels.size for mask in lesions):
            scene = self._with_images_beside(scene, image, item)
        for mask in found.masks:
            with self._isolated(item.mask, mask.name.label):
                self._measure(mask, scene, item)

    def _with_images_beside(self, scene: Scene, image: Volume, item: MaskOfImage) -> Scene:
        """Return a scene with the images that stand beside its own; each is read once for all masks of one image."""
        plain, adc = item.beside.unenhanced, item.beside.adc
        if plain and is_enhanced(image.acquisition) is None:  # a table names it, and says so that this one is enhanced
            image = replace(image, acquisition=replace(image.acquisition, phase=CONTRAST))
        return replace(
            scene,
            volume=image,
            unenhanced=self._once(plain, lambda: self._unenhanced(image, item)),
            adc=self._once(adc, lambda: self._adc_map(image, item)),
        )

    def _once(self, paths: tuple[Path, ...], read: Callable[[], _T | None]) -> _T | None:
        if paths and paths not in self.beside:
            self.beside[paths] = None  # where it cannot be read that is told once
            with self._isolated(paths[0]):
                self.beside[paths] = read()
        return self.beside.get(paths)

    def _unenhanced(self, image: Volume, item: MaskOfImage) -> Volume | None:
        from response.io.images import read_series

        paths = item.beside.unenhanced
        is_file = is_image_file(paths[0])
        volume = self._image_file(paths[0], item, UNENHANCED) if is_file else read_series(paths)
        return volume if self._is_used(why_not_unenhanced(image, volume), UNENHANCED_SERIES, paths) else None

    def _adc_map(self, image: Volume, item: MaskOfImage) -> AdcMap | None:
        from response.io.adc_maps import read_adc_map

        paths = item.beside.adc
        adc = read_adc_map(paths)
        return adc if self._is_used(why_apart(image, adc.volume), ADC_MAP, paths) else None

    def _is_used(self, why_not: str, what: Beside, paths: Sequence[Path]) -> bool:
        """Return whether nothing speaks against an image beside another; else it becomes a finding."""
        if why_not:
            self.findings.append(self._finding(f"{what.column}_not_used", what.told(why_not), paths[0].parent))
        return not why_not

    def _measure(self, mask: LesionMask, scene: Scene, item: MaskOfImage) -> None:
        suggested: list[Suggestion] = []
        cells = measure_lesion(mask, scene, self.options, suggested=suggested.append)
        if item.uid:
            cells["source"] = item.uid  # a report that names this segment is matched by it
        self.findings += [self._finding("mask_note", note, item.mask, lesion=mask.name.label) for note in mask.notes]
        self.observations.append(
            Observation(
                kind="mask",
                subject=self.study.subject,
                study=self.study.uid,
                date=self.study.date,
                timepoint=self.study.timepoint,
                name=mask.name,
                cells=cells,
                file=str(item.mask),
                suggestion=next((found for found in suggested if found.border is not None), None),
            )
        )

    def from_report(self, path: Path) -> None:
        """Read the measurements of a report."""
        from response.io.dicom_sr import read_report

        with self._isolated(path):
            report = read_report(path)
            self.observations += report.observations
            self.findings += [self._placed(finding) for finding in report.findings]

    @contextmanager
    def _isolated(self, path: Path, lesion: str = "") -> Iterator[None]:
        """Turn what goes wrong with one file or lesion into a finding, so that the others go on."""
        try:
            yield
        except ResponseError as error:
            self._lose(path, lesion, str(error), "Replace the file; the others were used.")
        except MemoryError:
            raise
        except Exception as error:
            remedy = "This is a fault of the program, not of your data; please report it. The others were used."
            self._lose(path, lesion, place_of_fault(error), remedy)

    def _lose(self, path: Path, lesion: str, why: str, remedy: str) -> None:
        self.lost += 1
        what = "A lesion could not be measured" if lesion else "A file could not be used"
        finding = self._finding(UNUSABLE, f"{what}: {why}", path, lesion)
        self.findings.append(replace(finding, severity="error", remedy=remedy))

    def _finding(self, name: str, sentence: str, path: Path, lesion: str = "") -> Finding:
        whole = sentence if sentence.endswith(".") else f"{sentence}."
        return self._placed(Finding(id=name, severity="warning", lesion=lesion, sentence=whole, file=str(path)))

    def _placed(self, finding: Finding) -> Finding:
        return replace(
            finding,
            subject=finding.subject or self.study.subject,
            timepoint=finding.timepoint or self.study.timepoint or self.study.date,
        )


def _drawn_on(masks: Iterable[MaskOfImage]) -> set[str]:
    """Return the images that DICOM masks refer to: a series of several volumes is read for them."""
    from response.io.dicom_references import referenced_instances

    found: set[str] = set()
    for item in masks:
        if not is_image_file(item.mask):
            with suppress(ResponseError):  # told when the mask itself is read
                found |= referenced_instances(item.mask)
    return found


def _liver(masks: Iterable[LesionMask]) -> LesionMask | None:
    """Return the mask of the liver itself, where it is segmented."""
    livers = [
        mask
        for mask in masks
        if mask.name.is_organ and "liver" in {organ_of(mask.name.kind), organ_of(mask.name.label)} and mask.voxels.size
    ]
    return livers[0] if len(livers) == 1 else None
