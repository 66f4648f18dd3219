"""Items read from their bytes are those that pydicom reads, however they were written."""

import struct
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, SegmentationStorage

from response.io.functional_groups import Group, ParsedGroup, RawGroup, sequence_groups
from tests.seg_factory import item

SYNTAXES = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian]
PER_FRAME = "PerFrameFunctionalGroupsSequence"


def frame(number: int, *, undefined: bool) -> Dataset:
    groups = item(
        PlanePositionSequence=[item(ImagePositionPatient=["-1.5", "2", f"{number}.25"])],
        SegmentIdentificationSequence=[item(ReferencedSegmentNumber=number)],
        DerivationImageSequence=[
            item(SourceImageSequence=[item(ReferencedSOPInstanceUID=f"1.2.{part}") for part in range(2)])
        ],
        PixelMeasuresSequence=[],
    )
    groups.add_new(0x00091010, "UN", b"private")
    if undefined:
        for keyword in ("PlanePositionSequence", "DerivationImageSequence"):
            groups[keyword].is_undefined_length = True
            groups[keyword].value[0].is_undefined_length_sequence_item = True
        groups.DerivationImageSequence[0]["SourceImageSequence"].is_undefined_length = True
    return groups


def dataset_of(frames: list[Dataset], syntax: str) -> Dataset:
    """Return a dataset that was written and read again."""
    dataset = item(SOPClassUID=SegmentationStorage, SOPInstanceUID="1.2.3", PerFrameFunctionalGroupsSequence=frames)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return dcmread(buffer)


def content(group: Group) -> list[object]:
    position, segment = group.items("PlanePositionSequence")[0], group.items("SegmentIdentificationSequence")[0]
    sources = group.items("DerivationImageSequence")[0].items("SourceImageSequence")
    return [
        position.numbers("ImagePositionPatient"),
        segment.numbers("ReferencedSegmentNumber"),
        [source.text("ReferencedSOPInstanceUID") for source in sources],
        len(group.items("PixelMeasuresSequence")),
        len(group.items("PlaneOrientationSequence")),
        group.numbers("PixelSpacing"),
        group.text("ReferencedSOPInstanceUID"),
    ]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [False, True])
def test_items_from_bytes_are_those_of_pydicom(syntax: str, undefined: bool) -> None:
    dataset = dataset_of([frame(number, undefined=undefined) for number in (1, 300)], syntax)
    groups = sequence_groups(dataset, PER_FRAME)
    assert all(isinstance(group, RawGroup) for group in groups)
    expected = [content(ParsedGroup(each)) for each in dataset[PER_FRAME].value]
    assert [content(group) for group in groups] == expected
    assert expected[1][:3] == [(-1.5, 2.0, 300.25), (300.0,), ["1.2.0", "1.2.1"]]


def test_sequences_of_undefined_length_are_parsed_already() -> None:
    frames = [frame(number, undefined=True) for number in (1, 2)]
    dataset = item(PerFrameFunctionalGroupsSequence=frames)
    groups = sequence_groups(dataset, PER_FRAME)
    assert all(isinstance(group, ParsedGroup) for group in groups)
    assert content(groups[1])[1] == (2,)


def test_sequences_of_unknown_vr() -> None:
    # Written by programs that did not know the tag: implicit inside (PS3.5, 6.2.2).
    inner = dataset_of([frame(7, undefined=False)], ImplicitVRLittleEndian)
    implicit = inner.get_item(PER_FRAME).value
    outer = (
        struct.pack("<HHL", 0xFFFE, 0xE000, 12 + len(implicit))
        + struct.pack("<HH2sHL", 0x5200, 0x9230, b"UN", 0, len(implicit))
        + implicit
    )
    raw = RawDataElement(0x52009230, "SQ", len(outer), outer, 0, False, True)
    dataset = Dataset()
    dataset._dict[raw.tag] = raw
    (group,) = sequence_groups(dataset, PER_FRAME)
    assert content(group.items(PER_FRAME)[0])[1] == (7.0,)


def test_numbers_of_another_vr_than_usual() -> None:
    values = {"UL": struct.pack("<L", 7), "IS": b"7 ", "FD": struct.pack("<d", 7), "SS": struct.pack("<h", 7)}
    for vr, value in values.items():
        element = struct.pack("<HH2sH", 0x0062, 0x000B, vr.encode(), len(value)) + value
        data = struct.pack("<HHL", 0xFFFE, 0xE000, len(element)) + element
        dataset = Dataset()
        dataset._dict[0x52009230] = RawDataElement(0x52009230, "SQ", len(data), data, 0, False, True)
        (group,) = sequence_groups(dataset, PER_FRAME)
        assert group.numbers("ReferencedSegmentNumber") == (7,)


DAMAGED = [
    # what                                 bytes of a sequence
    ("no item", struct.pack("<HHL", 0x0008, 0x0005, 4) + b"abcd"),
    ("longer than its sequence", struct.pack("<HHL", 0xFFFE, 0xE000, 400) + b"abcd"),
    ("without end", struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + b"\x08\0\x05\0SH\x04\0abcd"),
]


@pytest.mark.parametrize("data", [case[1] for case in DAMAGED], ids=[case[0] for case in DAMAGED])
def test_damaged_sequences(data: bytes) -> None:
    raw = RawDataElement(0x52009230, "SQ", len(data), data, 0, False, True)
    dataset = Dataset()
    dataset._dict[raw.tag] = raw
    with pytest.raises(struct.error):
        sequence_groups(dataset, PER_FRAME)


def test_values_that_do_not_fit_are_nothing(tmp_path: Path) -> None:
    damaged = b"\x20\0\x32\0DS\x08\0" + b"1\\x\\3   "
    group_bytes = struct.pack("<HHL", 0xFFFE, 0xE000, len(damaged)) + damaged
    raw = RawDataElement(0x52009230, "SQ", len(group_bytes), group_bytes, 0, False, True)
    dataset = Dataset()
    dataset._dict[raw.tag] = raw
    (group,) = sequence_groups(dataset, PER_FRAME)
    assert group.numbers("ImagePositionPatient") == ()
    assert group.text("ImagePositionPatient") == "1\\x\\3"
    assert group.items("PlanePositionSequence") == []
