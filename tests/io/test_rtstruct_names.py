"""What the structures of a structure set are: lesions, organs, or margins around a lesion."""

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from tests.io.test_rtstruct import BOX, read
from tests.rtstruct_factory import Roi, outline
from tests.seg_factory import code, volume_on

TYPES = [
    # name          interpreted type   organ   role
    ("Lesion 1", "GTV", False, ""),
    ("Liver", "GTV", False, ""),
    ("Target 1", "GTV", False, "target"),
    ("Lesion 1", "", False, ""),
    ("Liver", "", True, ""),
    ("Liver", "ORGAN", True, ""),
    ("Lesion 1", "ORGAN", False, ""),  # what some programs write for everything
    ("NT 2", "ORGAN", False, "non_target"),
    ("Segment 1", "ORGAN", True, ""),
    ("Boost", "PTV", True, ""),
    ("Target 1", "PTV", True, ""),
    ("Boost", "CTV", True, ""),
    ("PTV60", "", True, ""),
    ("x", "EXTERNAL", True, ""),
    ("x", "MARKER", True, ""),
    ("x", "SUPPORT", True, ""),
    ("Lesion", "UNDEFINED", False, ""),
]


@pytest.mark.parametrize(("label", "kind", "organ", "role"), TYPES)
def test_lesion_or_not(tmp_path: Path, label: str, kind: str, organ: bool, role: str) -> None:
    image = volume_on()
    masks = read(tmp_path, [Roi(label, [outline(image.grid, 2, BOX)], kind=kind)], image)
    name = masks.masks[0].name
    assert (name.label, name.is_organ, name.role, name.kind) == (label, organ, role, kind)


def test_codes_of_an_observation(tmp_path: Path) -> None:
    def add_code(dataset: Dataset) -> None:
        observation = dataset.RTROIObservationsSequence[0]
        observation.RTROIIdentificationCodeSequence = code("10200004", "SCT", "Liver")

    image = volume_on()
    masks = read(tmp_path, [Roi("x", [outline(image.grid, 2, BOX)], kind="OTHER")], image, edit=add_code)
    name = masks.masks[0].name
    assert (name.kind, name.kind_code, name.is_organ) == ("Liver", "10200004^SCT", True)
