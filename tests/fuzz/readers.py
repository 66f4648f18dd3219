"""Coverage-guided fuzzing of the readers: whatever a file holds, they answer with a result or an error of ours.

    python tests/fuzz/readers.py READER [--seconds 60]

READER is one of `READERS`. Needs atheris. Inputs start from small sound files and are mutated; any other exception
than `ResponseError`, a hang or more than 2 GB of memory stops the run with a file that shows it.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "examples")]

Reader = Callable[[Path], object]


def _scan(path: Path) -> object:
    from response.io.dicom_headers import scan

    return scan([path])


def _series(path: Path) -> object:
    from response.io.images import read_series

    return read_series([path])


def _masks(path: Path) -> object:
    from response.io.masks import read_masks

    return read_masks(path)


def _report(path: Path) -> object:
    from response.io.dicom_sr import read_report

    return read_report(path)


def _image_file(path: Path) -> object:
    from response.io.image_files import read_image_file

    return read_image_file(path)


def _lesion_map(path: Path) -> object:
    from response.io.lesion_map import read_lesion_map

    return read_lesion_map(path)


def _pairs(path: Path) -> object:
    from response.io.image_pairs import read_pairs

    return read_pairs(path)


def _study_list(path: Path) -> object:
    from response.io.study_list import read_study_list

    return read_study_list(path)


READERS: Final[dict[str, tuple[Reader, str]]] = {
    "scan": (_scan, "x.dcm"),
    "series": (_series, "x.dcm"),
    "seg": (_masks, "x.dcm"),
    "rtstruct": (_masks, "x.dcm"),
    "report": (_report, "x.dcm"),
    "nifti": (_image_file, "x.nii"),
    "nrrd": (_image_file, "x.nrrd"),
    "label": (_masks, "x.mha"),
    "lesion_map": (_lesion_map, "x.csv"),
    "pairs": (_pairs, "x.csv"),
    "study_list": (_study_list, "x.csv"),
}


def write_seeds(name: str, folder: Path) -> None:
    """Write small sound files of the kind that a reader reads."""
    texts = {
        "lesion_map": "subject,date,label,lesion,role\nS,2024-01-02,mass,T1,target\n",
        "pairs": "subject,mask,date\nS,x.csv,2024-01-02\n",
        "study_list": "study_instance_uid,date\n1.2.3,2024-01-02\n",
    }
    if name in texts:
        (folder / "seed").write_text(texts[name])
    elif name == "report":
        from tests.sr_factory import measured, report, saved

        saved(report(measured("Lesion 1", "12.5", short="8")), folder / "seed")
    elif name in {"nifti", "nrrd", "label"}:
        _write_image(folder, Path(READERS[name][1]).suffix)
    elif name == "rtstruct":
        _write_rtstruct(folder / "seed")
    else:
        from synthetic.images import Exam, Lesion, write_exam

        write_exam(folder / "exam", Exam("S", "20240102", [Lesion("Lesion 1", (10, 40, 28), 12, 60)]))
        source = folder / "exam" / ("lesions.dcm" if name == "seg" else "ct/003.dcm")
        source.replace(folder / "seed")
        for file in [*(folder / "exam").rglob("*.dcm")]:
            file.unlink()


def _write_image(folder: Path, suffix: str) -> None:
    import numpy as np
    import SimpleITK

    image = SimpleITK.GetImageFromArray(np.arange(60, dtype=np.int16).reshape(3, 4, 5) % 4)
    SimpleITK.WriteImage(image, str(folder / f"seed{suffix}"))


def _write_rtstruct(path: Path) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

    def item(**values: object) -> Dataset:
        made = Dataset()
        for keyword, value in values.items():
            setattr(made, keyword, value)
        return made

    corners = ((0, 0), (9, 0), (9, 9), (0, 9))
    contours = [
        item(
            ContourGeometricType="CLOSED_PLANAR",
            NumberOfContourPoints=len(corners),
            ContourData=[value for x, y in corners for value in (x, y, z)],
        )
        for z in (0, 3)
    ]
    dataset = item(
        SOPClassUID=RTStructureSetStorage, SOPInstanceUID="1.2.3", SeriesInstanceUID="1.2.4", Modality="RTSTRUCT",
        StructureSetROISequence=[item(ROINumber=1, ROIName="GTV")],
        ROIContourSequence=[item(ReferencedROINumber=1, ContourSequence=contours)],
    )  # fmt: skip
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


def main() -> None:
    """Fuzz one reader for some seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reader", choices=READERS)
    parser.add_argument("--seconds", type=int, default=60)
    wanted = parser.parse_args()
    import atheris

    with atheris.instrument_imports(include=["response"], enable_loader_override=False):
        from response.errors import ResponseError

        read, name = READERS[wanted.reader]
        folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        (folder / "seeds").mkdir()
        write_seeds(wanted.reader, folder / "seeds")
        for seed in (folder / "seeds").glob("seed*"):
            target = folder / name
            target.write_bytes(seed.read_bytes())
            read(target)  # a seed must be sound; and all modules are instrumented now

    def once(data: bytes) -> None:
        target = folder / name
        target.write_bytes(data)
        with contextlib.suppress(ResponseError):
            read(target)

    flags = [f"-max_total_time={wanted.seconds}", "-max_len=65536", "-timeout=20", "-rss_limit_mb=2048", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *flags, f"-artifact_prefix={folder}/", str(folder / "seeds")], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
