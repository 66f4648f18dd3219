"""NIfTI, NRRD and MetaImage files that are damaged, hostile, or of a kind that cannot be used."""

import gzip
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from response.errors import InputError
from response.io.image_files import is_image_file, read_image_file, read_label_volume
from tests.dicom_factory import oblique_grid, random_voxels

sitk = pytest.importorskip("SimpleITK")

SHAPE = (5, 6, 7)
SUFFIXES = ("nii", "nii.gz", "nrrd", "nhdr", "mha", "mhd")
GRID = oblique_grid(SHAPE)
AXES = np.stack([GRID.along_row, GRID.along_column, GRID.normal], axis=1)


def image_of(voxels: NDArray[Any], axes: NDArray[Any] = AXES, **how: Any) -> Any:
    image = sitk.GetImageFromArray(voxels, **how)
    rank = image.GetDimension()
    image.SetOrigin((12.5, -80.0, 33.0)[:rank])
    image.SetSpacing((0.6, 0.9, 4.0)[:rank])
    image.SetDirection(axes[:rank, :rank].ravel().tolist())
    return image


def written(folder: Path, name: str, image: Any, *, packed: bool = False) -> Path:
    path = folder / name
    sitk.WriteImage(image, str(path), packed)
    return path


def nrrd(**fields: str) -> bytes:
    lines = {
        "type": "short",
        "dimension": "3",
        "space": "left-posterior-superior",
        "sizes": "2 2 2",
        "space directions": "(1,0,0) (0,1,0) (0,0,1)",
        "encoding": "raw",
        "endian": "little",
        "space origin": "(0,0,0)",
        **{name.replace("_", " "): value for name, value in fields.items()},
    }
    return b"NRRD0004\n" + "".join(f"{name}: {value}\n" for name, value in lines.items()).encode() + b"\n" + bytes(16)


def meta(**fields: str) -> bytes:
    lines = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "TransformMatrix": "1 0 0 0 1 0 0 0 1",
        "Offset": "0 0 0",
        "ElementSpacing": "1 1 1",
        "DimSize": "2 2 2",
        "ElementType": "MET_SHORT",
        **fields,
        "ElementDataFile": fields.get("ElementDataFile", "LOCAL"),
    }
    return "".join(f"{name} = {value}\n" for name, value in lines.items()).encode() + bytes(16)


TIMES = {
    "DimSize": "1 2 2 2",
    "Offset": "0 0 0 0",
    "ElementSpacing": "1 1 1 1",
    "TransformMatrix": "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
}


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.nrrd", nrrd(data_file="LIST"), "several data files"),
        ("a.nrrd", nrrd(data_file="a%03d.raw 1 9 1"), "several data files"),
        ("a.nhdr", nrrd(data_file="/etc/hostname"), "another folder"),
        ("a.nhdr", nrrd(data_file="b/../../a.raw"), "another folder"),
        ("a.nrrd", nrrd(encoding="ascii"), "save it as raw or gzip"),
        ("a.nrrd", nrrd(type="block"), "save it as raw or gzip"),
        ("a.nrrd", nrrd(kinds="domain domain"), "impossible sizes"),
        ("a.nrrd", nrrd(space_directions="(1,0,0) (0,1,0)"), "impossible sizes"),
        ("a.nrrd", nrrd(dimension="2"), "impossible sizes"),
        ("a.nrrd", nrrd(dimension="4", sizes="1 2 2 2", kinds="list domain domain list"), "impossible sizes"),
        (
            "a.nrrd",
            nrrd(dimension="4", sizes="2 1 2 2", space_directions="(1,0,0) none (0,1,0) (0,0,1)"),
            "do not lie in space",
        ),
        (
            "a.nrrd",
            nrrd(dimension="5", sizes="2 1 1 2 2", space_directions="none (1,0,0) (0,1,0) (0,0,1) none"),
            "do not lie in space",
        ),
        ("a.mha", meta(NDims="4", **TIMES), "4 dimensions"),
        ("a.mha", meta(ElementSpacing="1 1"), "no sound number"),
        ("a.mha", meta(ElementNumberOfChannels="0"), "claims 0 bytes"),
        ("a.mha", b"Offset = 0 0 0\n" + meta().replace(b"Offset = 0 0 0\n", b""), "out of order"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    (tmp_path / "a.raw").write_bytes(bytes(16))
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=told):
        read_image_file(tmp_path / name)


def test_the_files_that_are_spoiled_below_are_sound(tmp_path: Path) -> None:
    for name, data in (("a.nrrd", nrrd()), ("a.mha", meta())):
        (tmp_path / name).write_bytes(data)
        assert read_image_file(tmp_path / name).grid.spacing_mm == (1, 1, 1)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("not a number in the origin.nrrd", nrrd(space_origin="(nan,0,0)")),
        ("not a number in the spacing.nrrd", nrrd(space_directions="(nan,0,0) (0,1,0) (0,0,1)")),
        ("no spacing.nrrd", nrrd(space_directions="(0,0,0) (0,1,0) (0,0,1)")),
        ("axes askew.nrrd", nrrd(space_directions="(1,0,0) (0.5,1,0) (0,0,1)")),
        ("axes in one plane.nrrd", nrrd(space_directions="(1,0,0) (0,1,0) (1,1,0)")),
        ("bomb.nrrd", nrrd(sizes="100000 100000 100000")),
        ("larger than all memory.nrrd", nrrd(sizes="10000000000 10000000000 10000000000")),
        ("two many voxels.nrrd", nrrd(sizes="2 2 3")),
        ("no voxels.nrrd", nrrd(sizes="0 2 2")),
        ("fewer sizes.nrrd", nrrd(sizes="2 4")),
        ("times.nrrd", nrrd(dimension="4", sizes="1 2 2 2", kinds="domain domain domain domain")),
        ("time in between.nrrd", nrrd(dimension="4", sizes="2 1 2 2", kinds="domain list domain domain")),
        ("text.nrrd", nrrd(encoding="ascii")),
        ("bzip2.nrrd", nrrd(encoding="bzip2")),
        ("blocks.nrrd", nrrd(type="block")),
        ("no byte order.nrrd", nrrd(endian="middle")),
        ("skip.nrrd", nrrd(byte_skip="8")),
        ("several files.nrrd", nrrd(data_file="LIST")),
        ("a pattern.nrrd", nrrd(data_file="a%03d.raw 1 9 1")),
        ("elsewhere.nhdr", nrrd(data_file="/etc/hostname")),
        ("above.nhdr", nrrd(data_file="../a.raw")),
        ("gone.nhdr", nrrd(data_file="a.raw")),
        ("a folder.nhdr", nrrd(data_file=".")),
        ("not packed.nrrd", nrrd(encoding="gzip")),
        ("no spacing.mha", meta(ElementSpacing="0 1 1")),
        ("negative spacing.mha", meta(ElementSpacing="-1 1 1")),
        ("not a number.mha", meta(ElementSpacing="nan 1 1")),
        ("no origin.mha", meta(Offset="nan 0 0")),
        ("no directions.mha", meta(TransformMatrix="0 0 0 0 0 0 0 0 0")),
        ("bomb.mha", meta(DimSize="100000 100000 100000")),
        ("fewer sizes.mha", meta(DimSize="2 4")),
        ("channels.mha", meta(ElementNumberOfChannels="3")),
        ("no channels.mha", meta(ElementNumberOfChannels="0")),
        ("a strange type.mha", meta(ElementType="MET_OTHER")),
        ("text.mha", meta(BinaryData="False")),
        ("perhaps packed.mha", meta(CompressedData="Perhaps")),
        ("not packed.mha", meta(CompressedData="True", CompressedDataSize="16")),
        ("two names.mha", b"NDims = 3\n" + meta()),
        ("out of order.mha", b"Offset = 0 0 0\n" + meta().replace(b"Offset = 0 0 0\n", b"")),
        ("a line of rubbish.mha", b"rubbish\n" + meta()),
        ("elsewhere.mhd", meta(ElementDataFile="/dev/zero")),
        ("several files.mhd", meta(ElementDataFile="LIST")),
        ("empty.nrrd", b""),
        ("empty.mha", b""),
        ("empty.nii", b""),
        ("empty.nii.gz", b""),
        ("no end.mha", b"Comment = " + b"x" * (1 << 20)),
        ("text.nii", b"This is a text, and no NIfTI file." * 20),
        ("text.nii.gz", gzip.compress(b"This is a text, and no NIfTI file." * 20)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_headers_that_cannot_be_used(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    for read in (read_image_file, read_label_volume):
        with pytest.raises(InputError) as caught:
            read(path)
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("at", "kind", "value"),
    [
        (40, "h", 4),  # four dimensions: times
        (40, "h", 0),
        (42, "h", 0),
        (42, "h", -3),
        (42, "h", 30_000),  # a bomb
        (48, "h", 2),  # dimension 4 is not looked at for rank 3: this one is sound
        (70, "h", 128),  # colours
        (70, "h", 32),  # complex numbers
        (70, "h", 999),
        (80, "f", 0.0),
        (88, "f", float("nan")),
        (108, "f", 0.0),
        (108, "f", 352.5),
        (108, "f", 1e30),
        (268, "f", float("nan")),  # of the qform
        (280, "f", float("inf")),  # of the sform
        (344, "4s", b"ni1\0"),  # voxels in another file
    ],
)
def test_nifti_headers_that_cannot_be_used(tmp_path: Path, at: int, kind: str, value: Any) -> None:
    path = written(tmp_path, "a.nii", image_of(random_voxels(SHAPE)))
    data = bytearray(path.read_bytes())
    struct.pack_into("<h", data, 48, 2)
    struct.pack_into(f"<{kind}", data, at, value)
    path.write_bytes(data)
    if at == 48:
        assert read_image_file(path).voxels.shape == SHAPE
        return
    with pytest.raises(InputError):
        read_image_file(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("packed", [False, True])
def test_files_cut_off_at_every_tenth(tmp_path: Path, suffix: str, packed: bool) -> None:
    path = written(tmp_path, f"a.{suffix}", image_of(random_voxels(SHAPE)), packed=packed)
    detached = {"nhdr": ["a.raw.gz", "a.raw"], "mhd": ["a.zraw", "a.raw"]}.get(suffix, [])
    for file in [path, *(tmp_path / name for name in detached if (tmp_path / name).exists())]:
        data = file.read_bytes()
        for tenth in range(10):
            file.write_bytes(data[: len(data) * tenth // 10])
            with pytest.raises(InputError):
                read_image_file(path)
        file.write_bytes(data)
    assert read_image_file(path).voxels.shape == SHAPE


@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "mha"])
def test_damage_within_compressed_voxels_is_noticed(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, f"a.{suffix}", image_of(random_voxels((20, 30, 40))), packed=True)
    data = path.read_bytes()
    for at in (len(data) // 2, len(data) - 6, len(data) - 1):
        spoiled = bytearray(data)
        spoiled[at] ^= 0xFF
        path.write_bytes(spoiled)
        with pytest.raises(InputError):
            read_image_file(path)


def test_a_compressed_bomb_takes_no_more_than_the_header_claims(tmp_path: Path) -> None:
    path = tmp_path / "bomb.nrrd"
    header = nrrd(encoding="gzip")[:-16]
    path.write_bytes(header + gzip.compress(bytes(1 << 26)))
    assert read_image_file(path).voxels.shape == (2, 2, 2)  # 64 MB of zeros stand behind the 16 bytes


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize("make", [a_pipe, a_folder, nothing])
def test_what_is_no_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    for suffix in SUFFIXES:
        make(tmp_path / f"a.{suffix}")
        with pytest.raises(InputError):
            read_image_file(tmp_path / f"a.{suffix}")


def test_names(tmp_path: Path) -> None:
    assert is_image_file(Path("A.NII.GZ"))
    assert is_image_file(Path("x.seg.nrrd"))
    assert not is_image_file(Path("x.dcm"))
    assert not is_image_file(Path("nrrd"))
    with pytest.raises(InputError, match="no name of an image file"):
        read_image_file(tmp_path / "a.txt")


@pytest.mark.parametrize("name", ["-dash.nrrd", "line\nend.nrrd", "\udcff\udcfe.nrrd", "ü 'quoted' \"name\".nrrd"])
def test_hostile_names(tmp_path: Path, name: str) -> None:
    voxels = random_voxels(SHAPE)
    shutil.copy(written(tmp_path, "a.nrrd", image_of(voxels)), tmp_path / name)
    volume = read_image_file(tmp_path / name)
    assert np.array_equal(volume.voxels, voxels)
    assert volume.source.isprintable()


def test_a_header_of_a_hostile_name_finds_its_voxels(tmp_path: Path) -> None:
    voxels = random_voxels(SHAPE)
    path = written(tmp_path, "a.mhd", image_of(voxels))
    path.rename(tmp_path / "\udcff.mhd")
    assert np.array_equal(read_image_file(tmp_path / "\udcff.mhd").voxels, voxels)


def test_nothing_is_printed_of_damaged_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name, data in (
        ("a.mha", meta(DimSize="2 4")),
        ("b.nii", bytes(400)),
        ("c.nrrd", nrrd(space_origin="(nan,0,0)")),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError):
            read_image_file(tmp_path / name)
    assert capfd.readouterr() == ("", "")
