"""Everything that is measured on one segmented lesion, as cells of the measurement table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from response.imaging.adc import AdcMap, measure_adc
from response.imaging.attenuation import Attenuation, measure_attenuation
from response.imaging.contrast import is_ct
from response.imaging.dense_parts import DenseParts, find_dense_parts
from response.imaging.diameters import Diameters, measure_diameters
from response.imaging.extents import Extents, measure_extents
from response.imaging.grid import Floats, Grid
from response.imaging.lesion_mask import LesionMask
from response.imaging.measurable import judge_measurability
from response.imaging.necrosis import measure_enhancement, measure_necrosis
from response.imaging.options import MeasureOptions
from response.imaging.paired import Beside, look_beside
from response.imaging.volume import Volume
from response.vocabulary import is_nodal_site, organ_of

if TYPE_CHECKING:
    from response.imaging.morphology import Suggestion

LIVER: Final = "liver"


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """What lies around a lesion in one study.

    Attributes
    ----------
    grid
        Grid of the masks.
    volume
        The image on that grid; None where only the segmentation is at hand, so that nothing of attenuation is known.
    liver
        Mask of the liver, where there is one.
    lesions
        All lesions of the study, for the reference region of the liver leaves them out.
    unenhanced
        The series without contrast medium beside the image, on a grid of its own, where there is one.
    adc
        The ADC map beside it, likewise.
    slice_thickness_mm
        Nominal thickness, where the grid has one slice only and there is no image; 0 where it is not known.
    """

    grid: Grid
    volume: Volume | None = None
    liver: LesionMask | None = None
    lesions: Sequence[LesionMask] = field(default=())
    unenhanced: Volume | None = None
    adc: AdcMap | None = None
    slice_thickness_mm: float = 0.0


def measure_lesion(
    mask: LesionMask,
    scene: Scene,
    options: MeasureOptions,
    *,
    suggested: "Callable[[Suggestion], None] | None" = None,
) -> dict[str, str]:
    """Return the cells of one lesion by column (`columns.COLUMNS` and `IMAGING_COLUMNS`); blank ones are left out.

    A mask without voxels gives no numbers, but the state `not_evaluable` with its reason. `suggested` takes the
    suggested Chun group where one was looked for; with the map of the border where `border_maps` asks for it.
    """
    diameters = measure_diameters(mask, scene.grid, options)
    if diameters is None:
        return {"state": "not_evaluable", "reason": "empty segment"}
    volume = scene.volume
    thickness = volume.acquisition.slice_thickness_mm if volume is not None else scene.slice_thickness_mm
    cells = _of_diameters(diameters, scene.grid)
    cells |= _of_extents(measure_extents(mask, scene.grid, slice_thickness_mm=thickness))
    if mask.name.is_organ:
        cells["structure"] = "organ"
    else:
        cells["measurable"] = _measurable(mask, diameters, thickness, scene.grid)
    if volume is not None:
        cells |= _of_image(volume, diameters.slice_index)
        beside = _unenhanced(mask, scene)
        dense = find_dense_parts(mask, volume, options, beside.values)
        cells |= _of_attenuation(mask, volume, options, diameters, dense)
        if not mask.name.is_organ:
            cells |= _joined(
                *_of_contrast(mask, volume, options, dense, beside),
                _of_diffusion(mask, scene, volume),
                *_of_tissue(mask, scene, volume, options, diameters.longest_mm, suggested=suggested),
            )
            if beside.values is not None and scene.unenhanced is not None:
                cells["unenhanced_series_uid"] = scene.unenhanced.series_instance_uid
    return {name: text for name, text in cells.items() if text}


def _of_diameters(found: Diameters, grid: Grid) -> dict[str, str]:
    notes = list(found.notes)
    if found.leaves_lesion:
        notes.append("a diameter leaves the lesion, which is concave")
    if found.components > 1:
        notes.append(f"{found.components} separate parts on the slice, of which the longest was measured")
    return {
        "longest_mm": number(found.longest_mm),
        "short_mm": number(found.short_mm),
        "area_mm2": number(found.area_mm2),
        "longest_from": point(found.longest_ends[0]),
        "longest_to": point(found.longest_ends[1]),
        "short_from": point(found.short_ends[0]),
        "short_to": point(found.short_ends[1]),
        "diameter_convention": found.convention,
        "diameter_notes": "; ".join(dict.fromkeys(notes)),
        "slice_position_mm": number(float(grid.depths_mm[found.slice_index])),
        "slice_interval_mm": number(grid.slice_spacing_mm or None),
    }


def _of_extents(found: Extents) -> dict[str, str]:
    return {
        "voxels": str(found.voxels),
        "components": str(found.components),
        "volume_mm3": number(found.volume_mm3),
        "extent_lr_mm": number(found.left_right_mm),
        "extent_ap_mm": number(found.front_back_mm),
        "extent_cc_mm": number(found.head_foot_mm),
        "ellipsoid_volume_mm3": number(found.ellipsoid_volume_mm3),
    }


def _measurable(mask: LesionMask, diameters: Diameters, thickness_mm: float, grid: Grid) -> str:
    judged = judge_measurability(
        diameters.longest_mm,
        diameters.short_mm,
        nodal=is_nodal_site(mask.name.site) or is_nodal_site(mask.name.kind),
        slice_thickness_mm=thickness_mm,
        slice_interval_mm=grid.slice_spacing_mm,
    )
    return "; ".join((str(judged), *judged.notes))


def _of_image(volume: Volume, slice_index: int) -> dict[str, str]:
    image = volume.acquisition
    frame = volume.frame_numbers[slice_index] if len(volume.frame_numbers) else 0
    return {
        "modality": image.modality,
        "phase": image.phase,
        "slice_thickness_mm": number(image.slice_thickness_mm or None),
        "kvp": number(image.kvp or None),
        "kernel": image.kernel,
        "mr_sequence": image.sequence,
        "scanner": image.manufacturer,
        "sop_instance_uid": volume.sop_instance_uids[slice_index] if len(volume.sop_instance_uids) else "",
        "sop_class_uid": volume.sop_class_uid,
        "frame_number": str(frame) if frame else "",
        "series_instance_uid": volume.series_instance_uid,
        "study_instance_uid": volume.study_instance_uid,
        "frame_of_reference_uid": volume.frame_of_reference_uid,
    }


def _unenhanced(mask: LesionMask, scene: Scene) -> Beside:
    """Return the series without contrast medium at the voxels of a lesion, where there is one."""
    if scene.unenhanced is None or mask.name.is_organ:
        return Beside(values=None)
    return look_beside(mask, scene.grid, scene.unenhanced, "the series without contrast medium")


def _of_attenuation(
    mask: LesionMask, volume: Volume, options: MeasureOptions, diameters: Diameters, dense: DenseParts | None
) -> dict[str, str]:
    found = measure_attenuation(
        mask,
        volume,
        options,
        slice_index=diameters.slice_index,
        section=diameters.section,
        left_out=None if dense is None else dense.left_out(options),
    )
    cells = {}
    if dense is not None:
        cells = {"calcified_fraction": number(dense.calcified_fraction), "dense_parts_method": dense.method}
    if found is None:
        return cells
    named = _as_hu(found) if found.unit == "HU" else _as_signal(found)
    return {**cells, **named, "attenuation_roi": found.roi, "attenuation_voxels": str(found.voxels)}


def _as_hu(found: Attenuation) -> dict[str, str]:
    return {
        "attenuation_hu": number(found.mean),
        "attenuation_sd_hu": number(found.sd),
        "attenuation_median_hu": number(found.median),
        "attenuation_min_hu": number(found.minimum),
        "attenuation_max_hu": number(found.maximum),
        "attenuation_p10_hu": number(found.p10),
        "attenuation_p90_hu": number(found.p90),
    }


def _as_signal(found: Attenuation) -> dict[str, str]:
    return {
        "signal_mean": number(found.mean),
        "signal_sd": number(found.sd),
        "signal_median": number(found.median),
        "signal_min": number(found.minimum),
        "signal_max": number(found.maximum),
        "signal_p10": number(found.p10),
        "signal_p90": number(found.p90),
    }


def _of_contrast(
    mask: LesionMask, volume: Volume, options: MeasureOptions, dense: DenseParts | None, beside: Beside
) -> Iterable[tuple[dict[str, str], Sequence[str]]]:
    """Hand out haemorrhage, necrosis and enhancement; each with its notes."""
    yield {}, beside.notes
    if dense is not None:
        yield {"haemorrhage_fraction": number(dense.haemorrhage_fraction)}, dense.notes
    necrosis = measure_necrosis(mask, volume, options, beside.values)
    cells = {"necrosis_fraction": number(necrosis.fraction), "necrosis_method": necrosis.method}
    if necrosis.fraction is not None and not is_ct(volume.acquisition):
        cells["viable_fraction"] = number(1 - necrosis.fraction)
    yield cells, necrosis.notes if necrosis.fraction else ()
    if beside.values is not None:
        found = measure_enhancement(mask, volume, beside.values)
        cells = {"enhancement_hu": number(found.hu), "relative_enhancement_percent": number(found.percent)}
        yield cells, found.notes


def _of_diffusion(mask: LesionMask, scene: Scene, volume: Volume) -> tuple[dict[str, str], Sequence[str]]:
    """Return the ADC with its notes, where there is a map of it."""
    if scene.adc is None:
        return {}, ()
    beside = look_beside(mask, scene.grid, scene.adc.volume, "the ADC map")
    if beside.values is None:
        return {}, beside.notes
    found = measure_adc(mask, volume, scene.adc, beside.values)
    return {"adc": number(found.mean), "adc_series_uid": scene.adc.volume.series_instance_uid}, found.notes


def _of_tissue(
    mask: LesionMask,
    scene: Scene,
    volume: Volume,
    options: MeasureOptions,
    longest_mm: float,
    *,
    suggested: "Callable[[Suggestion], None] | None",
) -> Iterable[tuple[dict[str, str], Sequence[str]]]:
    """Hand out the enhancing part and the suggested morphology; each with its notes."""
    from response.imaging.viable import measure_viable

    phase = volume.acquisition.phase
    if options.viable == "always" or (options.viable == "arterial" and phase == "arterial"):
        viable = measure_viable(mask, volume, options)
        told = (f"no viable diameter: {viable.reason}",) if viable.reason else viable.notes
        yield {"viable_mm": number(viable.longest_mm), "viable_fraction": number(viable.fraction)}, told
    if options.suggest_morphology == "always" or (options.suggest_morphology == "liver" and _in_liver(mask, scene)):
        found = _suggestion(mask, scene, volume, options, longest_mm)
        if suggested is not None:
            suggested(found)
        yield _of_morphology(found)


def _in_liver(mask: LesionMask, scene: Scene) -> bool:
    return organ_of(mask.name.site) == LIVER or (scene.liver is not None and not mask.name.site)


def _suggestion(
    mask: LesionMask, scene: Scene, volume: Volume, options: MeasureOptions, longest_mm: float
) -> "Suggestion":
    from response.imaging.morphology import suggest_group

    return suggest_group(
        mask,
        volume,
        liver=scene.liver,
        others=[lesion for lesion in scene.lesions if lesion is not mask],
        longest_mm=longest_mm,
        options=options,
        with_border=options.border_maps,
    )


def _of_morphology(found: "Suggestion") -> tuple[dict[str, str], Sequence[str]]:
    if found.group is None:
        return {}, (f"no Chun group is suggested: {found.reason}",)
    cells = {
        "morphology_suggested": str(found.group),
        "morphology_votes": str(found.votes),
        "morphology_distance": number(found.distance),
        "morphology_numbers": "" if found.features is None else _listed(asdict(found.features)),
    }
    return cells, found.notes


def _listed(features: Mapping[str, Any]) -> str:
    told = {name: number(value) if isinstance(value, float) else str(value) for name, value in features.items()}
    return "; ".join(f"{name} {text}" for name, text in told.items() if text not in ("None", "nan"))


def _joined(*parts: tuple[dict[str, str], Sequence[str]]) -> dict[str, str]:
    cells = {name: text for found, _ in parts for name, text in found.items() if text}
    notes = dict.fromkeys(note for _, told in parts for note in told)
    return {**cells, "image_notes": "; ".join(notes)}


def number(value: float | None) -> str:
    """Return a number as a cell: to the thousandth, as the measurement model holds it; blank for None."""
    if value is None:
        return ""
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def point(position: Floats) -> str:
    """Return a position in patient coordinates as a cell: `[x y z]` in mm, so that no spreadsheet takes it for more."""
    return f"[{' '.join(number(float(part)) for part in position)}]"
