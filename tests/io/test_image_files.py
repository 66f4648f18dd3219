"""NIfTI, NRRD and MetaImage files: voxels and places as SimpleITK and nibabel have them; what is damaged is refused."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from response.errors import InputError
from response.imaging.grid import Grid
from response.io.image_files import read_image_file, read_label_layers, read_label_volume
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


def assert_same_place(grid: Grid, image: Any) -> None:
    """Hold the place of every corner voxel against SimpleITK, by value: voxels are numbered in both."""
    size = image.GetSize()
    corners = {
        tuple(np.round(image.TransformIndexToPhysicalPoint([int(n) for n in np.array(at) * (np.array(size) - 1)]), 3))
        for at in np.ndindex(*[2] * len(size))
    }
    shape = np.array(grid.shape) - 1
    ours = {tuple(np.round(grid.points(*(int(n) for n in np.array(at) * shape)), 3)) for at in np.ndindex(2, 2, 2)}
    assert ours == corners


# --- Geometry.


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("handed", [1, -1], ids=["slices along the normal", "slices against the normal"])
def test_voxels_and_places(tmp_path: Path, suffix: str, packed: bool, handed: int) -> None:
    voxels = random_voxels(SHAPE)
    image = image_of(voxels, AXES * [1, 1, handed])
    volume = read_image_file(written(tmp_path, f"a.{suffix}", image, packed=packed))
    assert volume.voxels.dtype == np.int16
    assert np.array_equal(volume.voxels, voxels[::handed])
    assert (np.diff(volume.grid.depths_mm) > 0).all()
    assert_same_place(volume.grid, image)
    for index in ((0, 0, 0), (4, 5, 6), (1, 2, 3)):
        point = volume.grid.points(*index).tolist()
        assert image.GetPixel(image.TransformPhysicalPointToIndex(point)) == volume.voxels[index]
    np.testing.assert_allclose(volume.grid.spacing_mm, (4, 0.9, 0.6), atol=1e-5)
    assert volume.faults == ()
    assert (volume.sop_instance_uids, volume.frame_numbers, volume.source) == (
        ("",) * 5,
        (0,) * 5,
        str(tmp_path / f"a.{suffix}"),
    )


def nifti_by_nibabel(path: Path, affine: NDArray[Any], *, qform: int, sform: int, voxels: NDArray[Any]) -> Any:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(np.ascontiguousarray(voxels.T), None)
    image.set_qform(affine, qform)
    image.set_sform(affine, sform)
    nibabel.save(image, path)
    return nibabel.load(path)


RAS = np.array([[-0.6, 0, 0, 10], [0, 0.9, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1]])


@pytest.mark.parametrize(("qform", "sform"), [(1, 0), (0, 1), (1, 1), (2, 4)])
@pytest.mark.parametrize(
    "affine",
    [
        RAS,
        RAS * [[-1], [1], [1], [1]],
        RAS[[2, 0, 1, 3]],  # sagittal
        np.diag([-1, -1, 1, 1])
        @ np.block([[AXES * [0.6, 0.9, 4], np.array([[1], [2], [3]])], [np.zeros((1, 3)), np.ones((1, 1))]]),
    ],
    ids=["radiological", "neurological", "sagittal", "oblique"],
)
def test_nifti_lies_where_nibabel_has_it(tmp_path: Path, affine: NDArray[Any], qform: int, sform: int) -> None:
    voxels = random_voxels(SHAPE)
    reference = nifti_by_nibabel(tmp_path / "a.nii.gz", affine, qform=qform, sform=sform, voxels=voxels)
    volume = read_image_file(tmp_path / "a.nii.gz")
    data = np.asarray(reference.dataobj)
    for index in ((0, 0, 0), (4, 5, 6), (1, 2, 3)):
        lps = volume.grid.points(*index)
        i, j, k = np.rint(np.linalg.inv(reference.affine) @ [-lps[0], -lps[1], lps[2], 1])[:3].astype(int)
        np.testing.assert_allclose((reference.affine @ [i, j, k, 1])[:3], lps * [-1, -1, 1], atol=1e-3)
        assert data[i, j, k] == volume.voxels[index]
    assert not [fault for fault in volume.faults if "NIfTI" in fault]  # the transforms agree, with either hand


def test_one_slice_of_no_thickness_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "a.nii", image_of(random_voxels((1, 6, 7))))
    data = bytearray(path.read_bytes())
    struct.pack_into("<f", data, 88, 0.0)
    path.write_bytes(data)
    assert read_image_file(path).voxels.shape == (1, 6, 7)


def test_transforms_that_differ_are_told(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(random_voxels(SHAPE).T, None)
    image.set_qform(RAS, 1)
    for shift, told in ((0.05, 0), (0.2, 1)):
        moved = RAS.copy()
        moved[0, 3] += shift
        image.set_sform(moved, 1)
        nibabel.save(image, tmp_path / "a.nii")
        faults = [fault for fault in read_image_file(tmp_path / "a.nii").faults if "transforms" in fault]
        assert len(faults) == told


def test_a_nifti_without_orientation_is_told(tmp_path: Path) -> None:
    nifti_by_nibabel(tmp_path / "a.nii", RAS, qform=0, sform=0, voxels=random_voxels(SHAPE))
    assert "says nothing of the orientation" in read_image_file(tmp_path / "a.nii").faults[0]


def test_slices_that_are_not_axial_are_told(tmp_path: Path) -> None:
    sagittal = np.array([[0, 0, 1.0], [1, 0, 0], [0, -1, 0]])
    volume = read_image_file(written(tmp_path, "a.nrrd", image_of(random_voxels(SHAPE), sagittal)))
    assert volume.faults == ("slices are sagittal, not axial: they are measured as they are",)


def test_a_two_dimensional_image_is_one_slice(tmp_path: Path) -> None:
    voxels = random_voxels(SHAPE)[0]
    for suffix in ("mha", "nrrd", "nii"):
        volume = read_image_file(written(tmp_path, f"a.{suffix}", image_of(voxels, np.eye(3))))
        assert np.array_equal(volume.voxels, voxels[None])
        np.testing.assert_allclose(volume.grid.spacing_mm, (0, 0.9, 0.6), atol=1e-6)
        assert "single slice" in volume.faults[0]


def test_a_fourth_dimension_of_one_is_none(tmp_path: Path) -> None:
    voxels = random_voxels(SHAPE)
    image = sitk.JoinSeries([image_of(voxels)])
    assert np.array_equal(read_image_file(written(tmp_path, "a.nii.gz", image)).voxels, voxels)
    assert np.array_equal(read_image_file(written(tmp_path, "a.mha", image)).voxels, voxels)


def test_sheared_axes_are_told(tmp_path: Path) -> None:
    header = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 2 2 {count}\nencoding: raw\n"
        "endian: little\nspace directions: (1,0,0) (0,2,0) (0,{lean},3)\nspace origin: (0,0,0)\n\n"
    )
    for lean, count, told in ((1, 3, 1), (-1, 3, 1), (0, 3, 0), (1, 1, 0)):
        (tmp_path / "a.nrrd").write_bytes(header.format(lean=lean, count=count).encode() + bytes(8 * count))
        volume = read_image_file(tmp_path / "a.nrrd")
        assert len(volume.faults) == told
        np.testing.assert_allclose(volume.grid.origins[:, 1:], [[lean * n, 3 * n] for n in range(count)], atol=1e-9)


def test_an_nrrd_with_spacings_alone_is_read(tmp_path: Path) -> None:
    header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 4 3 2\nspacings: 0.5 0.6 4\nencoding: raw\n\n"
    (tmp_path / "a.nrrd").write_bytes(header.encode() + bytes(range(24)))
    volume = read_image_file(tmp_path / "a.nrrd")
    assert np.array_equal(volume.voxels.ravel(), np.arange(24))
    np.testing.assert_allclose(volume.grid.spacing_mm, (4, 0.6, 0.5))


# --- Values.


@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "mha"])
@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_types(tmp_path: Path, suffix: str, kind: str) -> None:
    voxels = random_voxels(SHAPE, low=0, high=100).astype(kind)
    path = written(tmp_path, f"a.{suffix}", image_of(voxels))
    assert read_image_file(path).voxels.dtype == np.int16
    assert np.array_equal(read_image_file(path).voxels, voxels)
    labels, _ = read_label_volume(path)
    assert labels.dtype == (np.dtype(kind) if kind[0] != "f" else np.int32)
    assert np.array_equal(labels, voxels)


@pytest.mark.parametrize(
    ("voxels", "kind"),
    [
        ([-32768, 32767], np.int16),
        ([0, 32768], np.float32),
        ([-32769, 0], np.float32),
        ([0.5, 1], np.float32),
        ([np.nan, 1], np.float32),
        ([-1024.0, 3071.0], np.int16),
    ],
)
def test_values_are_whole_numbers_where_they_can_be(tmp_path: Path, voxels: list[float], kind: type) -> None:
    array = np.array([[voxels]] * 2, np.float64)
    found = read_image_file(written(tmp_path, "a.nrrd", image_of(array))).voxels
    assert found.dtype == kind
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("slope", "intercept", "scale", "shift"),
    [
        (1, -1024, 1, -1024),
        (0.5, 3, 0.5, 3),
        (0, 7, 1, 0),  # no scale is given
        (float("nan"), float("nan"), 1, 0),  # nor here
        (2, float("nan"), 2, 0),
    ],
)
def test_the_scale_of_a_nifti_file_is_applied(
    tmp_path: Path, slope: float, intercept: float, scale: float, shift: float
) -> None:
    voxels = random_voxels(SHAPE, low=0, high=3000)
    path = written(tmp_path, "a.nii", image_of(voxels))
    data = bytearray(path.read_bytes())
    struct.pack_into("<2f", data, 112, slope, intercept)
    path.write_bytes(data)
    assert np.array_equal(read_image_file(path).voxels, voxels * scale + shift)
    if slope != 0.5:
        assert np.array_equal(read_label_volume(path)[0], voxels * scale + shift)


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
def test_big_endian(tmp_path: Path, suffix: str) -> None:
    voxels = random_voxels(SHAPE)
    path = written(tmp_path, f"a.{suffix}", image_of(voxels))
    data = path.read_bytes()
    header = data[: -voxels.nbytes]
    for old, new in ((b"endian: little", b"endian: big"), (b"MSB = False", b"MSB = True")):
        header = header.replace(old, new)
    path.write_bytes(header + voxels.astype(">i2").tobytes())
    assert np.array_equal(read_image_file(path).voxels, voxels)
    assert np.array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(path))), voxels)


@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_of_both_byte_orders(tmp_path: Path, order: str) -> None:
    nibabel = pytest.importorskip("nibabel")
    voxels = random_voxels(SHAPE)
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels.T, RAS, header), tmp_path / "a.nii.gz")
    volume = read_image_file(tmp_path / "a.nii.gz")
    assert np.array_equal(volume.voxels, voxels[::-1])  # columns to the left, rows to the front: slices descend
    np.testing.assert_allclose(volume.grid.spacing_mm, (4, 0.9, 0.6), atol=1e-5)


def test_nifti_of_version_2_is_refused_by_name(tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    nibabel.save(nibabel.Nifti2Image(random_voxels(SHAPE).T, RAS), tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="version 2"):
        read_image_file(tmp_path / "a.nii.gz")


# --- Layers.


@pytest.mark.parametrize("suffix", ["nrrd", "mha", "nii.gz"])
def test_layers_of_labels(tmp_path: Path, suffix: str) -> None:
    layers = random_voxels((3, *SHAPE), low=0, high=5).astype(np.uint8)
    image = image_of(np.moveaxis(layers, 0, -1), isVector=True)
    path = written(tmp_path, f"a.{suffix}", image)
    found, grid = read_label_layers(path)
    assert np.array_equal(found, layers)
    assert_same_place(grid, image)
    with pytest.raises(InputError, match="3 layers"):
        read_label_volume(path)
    with pytest.raises(InputError, match="3 numbers per voxel"):
        read_image_file(path)


def test_layers_that_stand_last(tmp_path: Path) -> None:
    layers = random_voxels((2, 3, 4, 5), low=0, high=5).astype(np.uint8)
    header = (
        "NRRD0005\ntype: uint8\ndimension: 4\nspace: left-posterior-superior\nsizes: 5 4 3 2\n"
        "space directions: (1,0,0) (0,1,0) (0,0,2) none\nkinds: domain domain domain list\nencoding: raw\n"
        "space origin: (1,2,3)\nSegment0_Name:=a: b\nSegment1_Name:=a: c\n\n"
    )
    path = tmp_path / "overlap.seg.nrrd"
    path.write_bytes(header.encode() + layers.tobytes())
    found, grid = read_label_layers(path)
    assert np.array_equal(found, layers)
    np.testing.assert_allclose(grid.origins, [[1, 2, 3], [1, 2, 5], [1, 2, 7]])


def test_labels_are_whole_numbers(tmp_path: Path) -> None:
    for value in (0.5, np.nan, np.inf, 2.0**24):
        path = written(tmp_path, "a.nrrd", image_of(np.array([[[0, value]]] * 2)))
        with pytest.raises(InputError, match="no whole numbers"):
            read_label_volume(path)


# --- Real files.


def test_a_real_image_and_its_labels(shared_data: Path) -> None:
    path = shared_data / "seg_ct_mask" / "brain2_image.nrrd"
    reference = sitk.ReadImage(str(path))
    volume = read_image_file(path)
    labels, grid = read_label_volume(shared_data / "seg_ct_mask" / "brain2_label.nrrd")
    assert_same_place(volume.grid, reference)
    assert set(np.unique(labels)) == {0, 1}
    assert labels.shape == volume.voxels.shape == grid.shape
    array = sitk.GetArrayFromImage(reference)
    assert {array.shape, array[::-1].shape} == {volume.voxels.shape}
    assert np.array_equal(np.sort(volume.voxels, axis=None), np.sort(array, axis=None))
