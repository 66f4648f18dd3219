"""DICOM files to datasets: what is one, what is damaged, and that nothing of a patient is printed."""

import logging
import os
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from response.errors import InputError
from response.io import dicom_bytes, dicom_files
from response.io.dicom_files import open_dicom, quiet_pydicom, read_dataset
from response.io.dicom_values import decimals, has, items, number, numbers, plain_text, text, whole_number
from tests.dicom_factory import axial_grid, random_voxels, set_pixels, uid_of, write_ct_series

SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
)


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Return one slice of 16 x 12 pixels."""
    grid = axial_grid((1, 16, 12))
    return write_ct_series(tmp_path, random_voxels(grid.shape), grid, description="a series", contrast_agent="agent")[0]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
def test_a_file_is_read_as_pydicom_reads_it(tmp_path: Path, syntax: str) -> None:
    import pydicom

    grid = axial_grid((1, 16, 12))
    path = write_ct_series(tmp_path, random_voxels(grid.shape), grid, transfer_syntax=syntax)[0]
    expected, found = pydicom.dcmread(path), read_dataset(path)
    assert found == Dataset(expected)  # elements; expected is a FileDataset
    assert found.file_meta.TransferSyntaxUID == syntax
    assert np.array_equal(found.pixel_array, expected.pixel_array)


@pytest.mark.parametrize("syntax", SYNTAXES[:3], ids=lambda syntax: syntax.name)
def test_a_file_without_preamble_and_meta_header_is_read(tmp_path: Path, syntax: str) -> None:
    grid = axial_grid((1, 16, 12))
    path = write_ct_series(tmp_path, random_voxels(grid.shape), grid, transfer_syntax=syntax, preamble=False)[0]
    file = open_dicom(path)
    assert file.transfer_syntax == syntax
    assert file.dataset.Rows == 16
    assert file.pixels is not None
    assert len(file.pixel_bytes()) == 16 * 12 * 2


def test_a_file_with_a_prefix_but_no_meta_header_is_read(one: Path) -> None:
    data = one.read_bytes()
    meta_bytes = struct.unpack_from("<I", data, 140)[0]
    one.write_bytes(data[:132] + data[144 + meta_bytes :])
    assert read_dataset(one).Modality == "CT"


def test_pixels_stay_on_the_disk_where_they_are_not_wanted(one: Path) -> None:
    assert "PixelData" not in read_dataset(one, pixels=False)
    assert "PixelData" in read_dataset(one)


def test_only_the_tags_wanted_are_read(one: Path) -> None:
    dataset = read_dataset(one, pixels=False, tags=["Rows", "SeriesDescription"])
    assert {element.keyword for element in dataset} == {"Rows", "SeriesDescription", "SpecificCharacterSet"}


def test_a_header_longer_than_the_first_piece_is_read_to_its_end(one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_files, "HEAD_BYTES", 300)
    monkeypatch.setattr(dicom_files, "LONG_HEAD_BYTES", 600)
    assert read_dataset(one).Rows == 16


def not_dicom(one: Path) -> None:
    one.write_text("A text that someone named .dcm, which begins like nothing in DICOM.\n" * 20)


def empty(one: Path) -> None:
    one.write_bytes(b"")


def gone(one: Path) -> None:
    one.unlink()


def a_folder(one: Path) -> None:
    one.unlink()
    one.mkdir()


def a_pipe(one: Path) -> None:
    one.unlink()
    os.mkfifo(one)


def meta_only(one: Path) -> None:
    data = one.read_bytes()
    one.write_bytes(data[: 144 + struct.unpack_from("<I", data, 140)[0]])


def nested_without_end(one: Path) -> None:
    # 20,000 sequences, each in an item of the one before, none of which ends
    opening = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    one.write_bytes(header(ExplicitVRLittleEndian) + opening * 20_000)


def claims_four_gigabytes(one: Path) -> None:
    element = b"\x08\0\x20\x00UN\0\0\xf0\xff\xff\xff"
    one.write_bytes(header(ExplicitVRLittleEndian) + element + b"20240101")


def deflated_rubbish(one: Path) -> None:
    one.write_bytes(header(DeflatedExplicitVRLittleEndian) + b"\xff" * 100)


def deflated_in_part(one: Path) -> None:
    engine = zlib.compressobj(wbits=-15)
    packed = engine.compress(os.urandom(5000)) + engine.flush()
    one.write_bytes(header(DeflatedExplicitVRLittleEndian) + packed[:2000])


def header(syntax: str) -> bytes:
    """Return preamble, prefix and meta header."""
    uid = syntax.encode() + b"\0" * (len(syntax) % 2)
    element = b"\x02\0\x10\0UI" + struct.pack("<H", len(uid)) + uid
    return b"\0" * 128 + b"DICM" + b"\x02\0\0\0UL\x04\0" + struct.pack("<I", len(element)) + element


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (not_dicom, "no DICOM file"),
        (empty, "an empty file"),
        (gone, "No such file"),
        (a_folder, "no regular file"),
        (a_pipe, "no regular file"),
        (meta_only, "ends too early"),
        (nested_without_end, "damaged header"),
        (claims_four_gigabytes, "ends too early"),
        (deflated_rubbish, "deflated"),
        (deflated_in_part, "ends too early"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(one: Path, damage: Callable[[Path], None], told: str) -> None:
    damage(one)
    with pytest.raises(InputError, match=told) as caught:
        read_dataset(one)
    assert str(one) in str(caught.value)


def test_a_deflated_bomb_is_refused(one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_bytes, "LARGEST_INFLATED", 1 << 20)
    engine = zlib.compressobj(wbits=-15)
    one.write_bytes(header(DeflatedExplicitVRLittleEndian) + engine.compress(bytes(1 << 24)) + engine.flush())
    with pytest.raises(InputError, match="without end"):
        read_dataset(one)


def test_an_absurdly_large_file_is_refused_before_it_is_read(one: Path) -> None:
    with one.open("r+b") as file:
        file.truncate((1 << 33) + 1)  # sparse: it takes no room
    with pytest.raises(InputError, match="at most"):
        read_dataset(one)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("preamble", [True, False])
def test_a_file_cut_off_anywhere_is_never_read_as_a_whole_one(tmp_path: Path, syntax: str, preamble: bool) -> None:
    if not preamble and syntax not in SYNTAXES[:3]:
        pytest.skip("what is compressed cannot be told without a meta header")
    grid = axial_grid((1, 6, 4))
    path = write_ct_series(tmp_path, random_voxels(grid.shape), grid, transfer_syntax=syntax, preamble=preamble)[0]
    data = path.read_bytes()
    whole = read_dataset(path)
    for end in range(0, len(data), 7):
        path.write_bytes(data[:end])
        try:
            part = read_dataset(path)
        except InputError:
            continue
        # a cut between two elements leaves a dataset that is whole as far as it goes
        assert set(part.keys()) < set(whole.keys())
        assert all(element == whole[element.tag] for element in part)
        assert "PixelData" not in part


def test_a_sequence_cut_off_at_the_end_is_noticed(tmp_path: Path) -> None:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.33", uid_of("report")
    item = Dataset()
    item.TextValue = "a finding " * 5
    dataset.ContentSequence = [item, item]
    for undefined in (False, True):
        dataset["ContentSequence"].is_undefined_length = undefined
        item.is_undefined_length_sequence_item = undefined
        path = tmp_path / "report.dcm"
        dataset.save_as(path, implicit_vr=False, little_endian=True)
        data = path.read_bytes()
        assert len(read_dataset(path).ContentSequence) == 2
        for missing in range(1, 100, 7):
            path.write_bytes(data[:-missing])
            with pytest.raises(InputError):
                read_dataset(path)


def test_trailing_zeros_are_no_damage(tmp_path: Path) -> None:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.PatientID = "1.2.840.10008.5.1.4.1.1.88.33", "S1"
    path = tmp_path / "padded.dcm"
    dataset.save_as(path, implicit_vr=False, little_endian=True)
    path.write_bytes(path.read_bytes() + bytes(4))
    assert read_dataset(path).PatientID == "S1"


# --- Nothing is printed, nothing is told.


def test_values_that_do_not_fit_are_neither_printed_nor_logged(
    one: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    dataset = read_dataset(one)
    dataset.add_new("PatientID", "LO", "S1")
    data = one.read_bytes().replace(b"DS\x06\x00-1024 ", b"DS\x06\x00secret").replace(b"20240101", b"Joe Doe1")
    one.write_bytes(data)
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        with quiet_pydicom():
            dataset = read_dataset(one)
            assert numbers(dataset, "RescaleIntercept") == ()
            assert text(dataset, "StudyDate") == "Joe Doe1"
    assert not caught
    assert "secret" not in caplog.text
    assert capfd.readouterr() == ("", "")


def test_quiet_pydicom_leaves_everything_as_it_was() -> None:
    logger = logging.getLogger("pydicom")
    before = logger.disabled, list(warnings.filters)
    with pytest.raises(KeyError), quiet_pydicom():
        assert logger.disabled
        raise KeyError
    assert (logger.disabled, list(warnings.filters)) == before


def test_the_reason_of_damage_quotes_no_value(one: Path) -> None:
    one.write_bytes(
        header(ExplicitVRLittleEndian)
        + b"\x10\0\x10\0PN\x08\0Doe^John"
        + b"\x10\0\x20\0SQ\0\0\xff\xff\xff\xffDoe^John" * 3
    )
    with pytest.raises(InputError) as caught:
        read_dataset(one)
    assert "Doe" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_hostile_names_are_shown_on_one_printable_line(tmp_path: Path) -> None:
    path = tmp_path / "a\nb\x1b[31m\udcff.dcm"
    with pytest.raises(InputError) as caught:
        read_dataset(path)
    told = str(caught.value)
    assert told.isprintable()
    assert r"a\nb\x1b[31m\udcff.dcm" in told


# --- Values.


def values() -> Dataset:
    dataset = Dataset()
    dataset.PatientID = " S1 "
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.ImagePositionPatient = [1.5, "-2", "3e1"]
    dataset.Rows = 512
    dataset.DiffusionBValue = 800.0
    dataset.InstanceNumber = 7
    item = Dataset()
    item.CodeMeaning = "Liver"
    dataset.AnatomicRegionSequence = [item]
    dataset.PatientName = "Doe^Jane=ドゥ"
    return dataset


def test_values_are_read_raw_and_converted_alike(tmp_path: Path) -> None:
    given = values()
    given.SpecificCharacterSet = "ISO_IR 192"
    given.SOPClassUID = "1.2.3"
    path = tmp_path / "values.dcm"
    given.save_as(path, implicit_vr=True, little_endian=True)
    for dataset in (given, read_dataset(path), read_dataset(path, tags=given.dir())):
        assert text(dataset, "PatientID") == plain_text(dataset, "PatientID") == "S1"
        assert text(dataset, "ImageType") == plain_text(dataset, "ImageType") == "ORIGINAL\\PRIMARY"
        assert numbers(dataset, "ImagePositionPatient") == decimals(dataset, "ImagePositionPatient") == (1.5, -2, 30)
        assert whole_number(dataset, "Rows", 0) == number(dataset, "Rows") == 512
        assert number(dataset, "DiffusionBValue") == 800
        assert decimals(dataset, "InstanceNumber") == (7,)
        assert plain_text(dataset, "PatientName") == text(dataset, "PatientName") == "Doe^Jane=ドゥ"
        assert [text(item, "CodeMeaning") for item in items(dataset, "AnatomicRegionSequence")] == ["Liver"]
        assert has(dataset, "Rows")


def test_what_is_missing_is_nothing() -> None:
    dataset = Dataset()
    dataset.SliceThickness = None
    assert (text(dataset, "PatientID"), numbers(dataset, "PixelSpacing"), items(dataset, "ContentSequence")) == (
        "",
        (),
        [],
    )
    assert numbers(dataset, "SliceThickness") == decimals(dataset, "SliceThickness") == ()
    assert number(dataset, "KVP", 3) == 3
    assert whole_number(dataset, "Rows", 5) == 5
    assert not has(dataset, "Rows")


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("LO", b"12", 12),  # a number in an element of text
        ("LO", b"many", 5),
        ("UL", struct.pack("<I", 12), 12),
        ("SQ", b"", 5),
        ("US", b"", 5),
        ("US", b"\x0c\x00\x0d\x00", 12),  # two values: the first
    ],
)
def test_an_element_of_the_wrong_vr_is_a_number_or_nothing(
    tmp_path: Path, vr: str, value: bytes, expected: int
) -> None:
    long = vr in {"SQ"}
    element = (
        b"\x28\0\x10\0"
        + vr.encode()
        + (b"\0\0" + struct.pack("<I", len(value)) if long else struct.pack("<H", len(value)))
    )
    path = tmp_path / "wrong.dcm"
    path.write_bytes(header(ExplicitVRLittleEndian) + b"\x08\0\x60\0CS\x02\0CT" + element + value)
    with quiet_pydicom():
        assert whole_number(read_dataset(path), "Rows", 5) == expected


def test_set_pixels_refuses_what_does_not_fit() -> None:
    with pytest.raises(AssertionError):
        set_pixels(Dataset(), np.array([[70_000]]))
