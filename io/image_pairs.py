"""Images and masks that are no DICOM: which belong together, and whose they are; from a table, or from their names.

Without a table: a file is a mask where a word of its name, or the name of its folder, says so (`MASK_WORDS`). Subject
and timepoint are the `sub-` and `ses-` of BIDS names, else the last two folders (SUBJECT/TIMEPOINT/file). Masks belong
to the only image of their timepoint, or to the one of the same name but for those words. Nothing else is guessed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from response.cells import DatePrecision, date_of
from response.columns import Column
from response.errors import InputError
from response.findings import Finding
from response.io.tables import read_table

MASK_WORDS: Final = frozenset(
    "seg dseg segmentation segmentations mask masks label labels labelstr labelsts lesion lesions roi rois tumor "
    "tumour tumors tumours annotation annotations".split()
)
_IMAGE_FOLDERS: Final = frozenset("images imagestr imagests image imgs img anat".split())
_SUFFIXES: Final = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".nhdr", ".mha", ".mhd")
_BIDS: Final = re.compile(r"(?:^|_)(sub|ses)-([a-zA-Z0-9]+)")
_CHANNEL: Final = re.compile(r"_\d{4}$")  # nnU-Net numbers the channels of an image so
_TABLE_COLUMNS: Final[Mapping[str, Column]] = {
    "subject": Column("text", "subject id", required=True),
    "timepoint": Column("text", "label of the timepoint"),
    "date": Column("date", "date of the image, ISO"),
    "image": Column("text", "image file, or folder of a DICOM series"),
    "mask": Column("text", "file with labels", required=True),
    "labels": Column("text", "table of the labels"),
    "modality": Column("text", "CT, MR or PT"),
    "phase": Column("text", "contrast phase"),
    "unenhanced": Column("text", "the same without contrast medium: image file, or folder of a DICOM series"),
    "adc": Column("text", "ADC map beside it: image file, or folder of a DICOM series"),
}
_IMAGES: Final = ("image", "unenhanced", "adc")  # columns that may name the folder of a DICOM series
_MODALITY_WORDS: Final = {"ct": "CT", "mr": "MR", "mri": "MR", "pet": "PT", "t": "MR"}  # t: T1w, t2, T1_post


@dataclass(frozen=True, kw_only=True)
class ImagePair:
    """A mask and its image.

    Attributes
    ----------
    subject, timepoint, date
        Whose and when; the date is ISO, or empty.
    image
        A file, or the folder of a DICOM series; None where there is no image.
    mask
        File with labels.
    labels
        Table of the labels, where one is named.
    modality, phase
        Of the image, where the table or its name says so (`volume.Acquisition`); its file records neither.
    unenhanced
        The same without contrast medium, where the table names it; a file, or the folder of a DICOM series.
    adc
        The ADC map beside it, likewise.
    """

    subject: str
    timepoint: str = ""
    date: str = ""
    image: Path | None = None
    mask: Path
    labels: Path | None = None
    modality: str = ""
    phase: str = ""
    unenhanced: Path | None = None
    adc: Path | None = None


def read_pairs(table: Path) -> list[ImagePair]:
    """Read a table of images and masks: `subject`, `mask`, and optionally the other fields of `ImagePair`.

    Paths are relative to the folder of the table.

    Raises
    ------
    InputError
        If it cannot be read, lacks a column, or names a file that is not there; all faults are told at once.
    """
    read = read_table(table, columns=_TABLE_COLUMNS).table
    lacking = [name for name, column in _TABLE_COLUMNS.items() if column.required and name not in read.columns]
    if lacking:
        found = f"no column {' and '.join(lacking)}"
        raise InputError(str(table), found, ", ".join(_TABLE_COLUMNS), "one row per mask")
    columns = {name: read.column(name).texts() for name in _TABLE_COLUMNS}
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    lines = read.lines.tolist()
    faults = [fault for line, row in zip(lines, rows, strict=True) for fault in _faults(row, table.parent, line)]
    if faults:
        raise InputError(str(table), "; ".join(faults), "files that are there, and a subject in every row", "")
    return [_pair(row, table.parent) for row in rows]


def _faults(row: Mapping[str, str], folder: Path, line: int) -> Iterable[str]:
    for name in ("subject", "mask"):
        if not row[name]:
            yield f"line {line}: no {name}"
    for name in ("mask", "labels", *_IMAGES):
        if row[name] and not _is_there(folder / row[name], is_image=name in _IMAGES):
            yield f"line {line}: {name} '{row[name]}' is not there"
    if date_of(row["date"]).fault:
        yield f"line {line}: date '{row['date']}' is no ISO date"


def _is_there(path: Path, *, is_image: bool) -> bool:
    try:
        return path.is_file() or (is_image and path.is_dir())
    except (OSError, ValueError):  # an impossible name
        return False


def _pair(row: Mapping[str, str], folder: Path) -> ImagePair:
    paths = {name: folder / row[name] if row[name] else None for name in ("labels", *_IMAGES)}
    return ImagePair(
        subject=row["subject"],
        timepoint=row["timepoint"],
        date=row["date"],
        mask=folder / row["mask"],
        image=paths["image"],
        labels=paths["labels"],
        modality=row["modality"].upper() or (_modality(paths["image"]) if paths["image"] else ""),
        phase="_".join(row["phase"].lower().split()),
        unenhanced=paths["unenhanced"],
        adc=paths["adc"],
    )


def find_pairs(files: Sequence[Path], roots: Sequence[Path]) -> tuple[list[ImagePair], list[Finding]]:
    """Return the masks among files with the images that belong to them, and what could not be paired.

    Parameters
    ----------
    files
        NIfTI, NRRD and MHA files.
    roots
        The folders that were given; what stands above them is not looked at.
    """
    by_place: dict[tuple[str, str], list[Path]] = {}
    for file in sorted(files):
        by_place.setdefault(_place(file, roots), []).append(file)
    pairs: list[ImagePair] = []
    findings: list[Finding] = []
    for (subject, timepoint), group in by_place.items():
        masks = [file for file in group if is_mask(file)]
        images = [file for file in group if file not in masks]
        for mask in masks:
            image, finding = _image_of(mask, images, subject, timepoint)
            findings += [finding] if finding else []
            day = date_of(timepoint) if len(timepoint) >= 8 else None
            date = timepoint if day is not None and day.precision == DatePrecision.DAY else ""
            if date and len(date) == 8:
                date = f"{date[:4]}-{date[4:6]}-{date[6:]}"
            modality = "" if image is None else _modality(image)
            pairs.append(
                ImagePair(subject=subject, timepoint=timepoint, date=date, image=image, mask=mask, modality=modality)
            )
    return pairs, findings


def is_mask(file: Path) -> bool:
    """Return whether the name of a file, or of its folder, says that it holds labels."""
    if file.name.lower().endswith(".seg.nrrd"):
        return True
    return bool(MASK_WORDS & {*_words(_stem(file)), file.parent.name.lower()})


def _modality(image: Path) -> str:
    """Return the modality that the name of an image says by a word of its own, or empty."""
    said = {_MODALITY_WORDS[word] for word in _words(_stem(image)) if word in _MODALITY_WORDS}
    return said.pop() if len(said) == 1 else ""


def _words(text: str) -> list[str]:
    return re.split(r"[^a-z]+", text.lower())


def _stem(file: Path) -> str:
    name = file.name
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return file.stem


def _bare(file: Path) -> str:
    """Return the name without what tells images from masks."""
    stem = _CHANNEL.sub("", _stem(file))
    return "_".join(word for word in re.split(r"[_\-. ]+", stem) if word.lower() not in MASK_WORDS)


def _place(file: Path, roots: Sequence[Path]) -> tuple[str, str]:
    """Return subject and timepoint of a file."""
    entities = {kind: f"{kind}-{name}" for kind, name in _BIDS.findall(_stem(file))}
    if "sub" in entities:
        return entities["sub"], entities.get("ses", "")
    above = [root for root in roots if root in file.parents]
    folders = file.parent.relative_to(max(above, key=lambda root: len(root.parts))).parts if above else ()
    folders = tuple(name for name in folders if name.lower() not in _IMAGE_FOLDERS | MASK_WORDS)
    if not folders:
        return _bare(file), ""
    return (folders[-2], folders[-1]) if len(folders) > 1 else (folders[0], "")


def _image_of(mask: Path, images: Sequence[Path], subject: str, timepoint: str) -> tuple[Path | None, Finding | None]:
    alike = [image for image in images if _bare(image).lower() == _bare(mask).lower()]
    found = alike if len(alike) == 1 else images
    if len(found) == 1:
        return found[0], None
    several = f"{len(found)} images stand beside it and none has its name" if found else "no image stands beside it"
    return None, Finding(
        id="mask_without_image",
        severity="warning",
        subject=subject,
        timepoint=timepoint,
        found=", ".join(image.name for image in images[:5]),
        expected="one image, or one of the same name",
        sentence=f"The mask {mask.name} was measured without attenuation, for {several}.",
        remedy="Name images and masks in a table (--pairs), or put each timepoint in a folder of its own.",
        file=str(mask),
    )
