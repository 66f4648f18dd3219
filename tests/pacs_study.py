"""A study of small files on a stub of a PACS, and what fetching it gives."""

from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from response.io.dicomweb import Fetched, Pacs, StudyRef
from tests.pacs_stub import Route, Stub, instance, serving

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
STUDY = StudyRef(study_instance_uid="1.1", subject="S1")


def referring(*series: str) -> list[Dataset]:
    items = []
    for uid in series:
        item = Dataset()
        item.SeriesInstanceUID = uid
        items.append(item)
    return items


def ct(series: str, number: int, study: str = "1.1", **more: Any) -> bytes:
    return instance(study, series, f"{series}.{number}", **more)


def seg(uid: str, *series: str, **more: Any) -> bytes:
    more = {"ReferencedSeriesSequence": referring(*series)} | more if series else more
    return instance("1.1", f"{uid}.0", uid, modality="SEG", sop_class=SEG, **more)


def sr(uid: str) -> bytes:
    return instance("1.1", f"{uid}.0", uid, modality="SR", sop_class="1.2.840.10008.5.1.4.1.1.88.33")


CT_A = [ct("1.1.1", number, padding=300) for number in range(1, 6)]
CT_B = [ct("1.1.2", number) for number in range(1, 3)]
MASK = seg("1.1.8", "1.1.1")
REPORT = sr("1.1.9")
FILES = [*CT_A, *CT_B, MASK, REPORT, instance("1.1", "1.1.3", "1.1.3.1", modality="US")]


def fetch(route: Route, folder: Path, *, study: StudyRef = STUDY, **options: Any) -> tuple[Fetched, Stub]:
    with serving(route) as stub, Pacs(stub.url, timeout=0.5, attempts=3, pause=0.001) as pacs:
        return pacs.fetch_study(study, folder, **options), stub


def contents(fetched: Fetched) -> list[bytes]:
    assert all(path.is_file() for path in fetched.files)
    return sorted(path.read_bytes() for path in fetched.files)


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".dcm"]


def told(fetched: Fetched) -> list[tuple[str, str]]:
    return [(finding.id, finding.found) for finding in fetched.findings]
