"""Which mask belongs to which image: layouts of folders that people use, the table, and what is not guessed."""

from pathlib import Path

import pytest

from response.errors import InputError
from response.io.image_pairs import ImagePair, find_pairs, is_mask, read_pairs

LAYOUTS = [
    # files                                             subject timepoint date mask image, of each pair
    ("A/2024-01-02/ct.nii.gz|A/2024-01-02/lesions.nii.gz", ["A|2024-01-02|2024-01-02|lesions.nii.gz|ct.nii.gz"]),
    ("A/20240102/ct.nii|A/20240102/seg.nii", ["A|20240102|2024-01-02|seg.nii|ct.nii"]),
    ("A/week 8/ct.nrrd|A/week 8/Segmentation.seg.nrrd", ["A|week 8||Segmentation.seg.nrrd|ct.nrrd"]),
    ("A/ct.mha|A/mask-1.mha|A/mask-2.mha", ["A|||mask-1.mha|ct.mha", "A|||mask-2.mha|ct.mha"]),
    ("imagesTr/LIV_1_0000.nii|labelsTr/LIV_1.nii", ["LIV_1|||LIV_1.nii|LIV_1_0000.nii"]),
    ("imagesTr/L_1_0000.nii|imagesTr/L_2_0000.nii|labelsTr/L_2.nii", ["L_2|||L_2.nii|L_2_0000.nii"]),
    ("sub-01/ses-a/anat/sub-01_ses-a_CT.nii|derivatives/x/sub-01/ses-a/sub-01_ses-a_dseg.nii",
     ["sub-01|ses-a||sub-01_ses-a_dseg.nii|sub-01_ses-a_CT.nii"]),
    ("A/t1/scan.nii|A/t1/scan_pv.nii|A/t1/scan_pv_mask.nii", ["A|t1||scan_pv_mask.nii|scan_pv.nii"]),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), LAYOUTS)
def test_layout(files: str, expected: list[str], tmp_path: Path) -> None:
    pairs, findings = find_pairs([tmp_path / name for name in files.split("|")], [tmp_path])
    told = [(p.subject, p.timepoint, p.date, p.mask.name, p.image.name if p.image else "") for p in pairs]
    assert ["|".join(parts) for parts in told] == expected
    assert findings == []


NOT_GUESSED = [
    # files                                          why
    ("A/t1/one.nii A/t1/two.nii A/t1/mask.nii", "two images, none of its name"),
    ("A/t1/mask.nii A/t2/ct.nii", "the image is of another timepoint"),
]


@pytest.mark.parametrize(("files", "why"), NOT_GUESSED)
def test_what_is_not_clear_is_not_guessed(files: str, why: str, tmp_path: Path) -> None:
    (pair,), (finding,) = find_pairs([tmp_path / name for name in files.split(" ")], [tmp_path])
    assert pair.image is None, why
    assert (finding.id, finding.file) == ("mask_without_image", str(pair.mask))


MASKS = [
    # file                       is a mask   why
    ("a/ct.nii.gz", False, ""),
    ("a/ct_seg.nii.gz", True, ""),
    ("a/Label.nrrd", True, ""),
    ("a/tumour1.nii", True, "figures do not belong to the word"),
    ("masks/1.nii", True, "the folder says it"),
    ("a/segment_of_ct.nii", False, "another word"),
    ("a/labelled.nii", False, "another word"),
    ("brain mask study/t1.nii", False, "a folder of that name, not one with the word in it"),
]


@pytest.mark.parametrize(("file", "expected", "why"), MASKS)
def test_mask_by_name(file: str, expected: bool, why: str) -> None:
    assert is_mask(Path(file)) is expected, why


def test_table(tmp_path: Path) -> None:
    for name in ("ct.nii", "m.nii", "names.csv"):
        (tmp_path / name).touch()
    (tmp_path / "series").mkdir()
    table = tmp_path / "pairs.csv"
    table.write_text(
        "\ufeffSubject,timepoint,date,image,mask,labels\n"
        "A,1,2024-01-02,ct.nii,m.nii,names.csv\n"
        "B,,,series,m.nii,\nC,,,,m.nii,\n",
        encoding="utf-8",
    )
    assert read_pairs(table) == [
        ImagePair(
            subject="A",
            timepoint="1",
            date="2024-01-02",
            image=tmp_path / "ct.nii",
            mask=tmp_path / "m.nii",
            labels=tmp_path / "names.csv",
            modality="CT",
        ),
        ImagePair(subject="B", image=tmp_path / "series", mask=tmp_path / "m.nii"),
        ImagePair(subject="C", mask=tmp_path / "m.nii"),
    ]


BAD_TABLES = [
    ("image,subject\nct.nii,A\n", "no column mask"),
    ("subject,mask\n,m.nii\nA,no.nii\n", "line 2: no subject; line 3: mask 'no.nii' is not there"),
    ("subject,mask\nA,masks\n", "line 2: mask 'masks' is not there"),  # a folder may hold an image, but no mask
    ("subject,mask,date\nA,m.nii,31/12/2024\n", "no date that can be read"),
    ("", "an empty file"),
    ("subject,mask\nA,m\0.nii\n", "NUL bytes"),
    ("subject,mask\nA,m.nii,more\n", "cells|columns"),
]


@pytest.mark.parametrize(("text", "message"), BAD_TABLES)
def test_bad_table_tells_all_faults(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "m.nii").touch()
    (tmp_path / "masks").mkdir()
    table = tmp_path / "pairs.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=message):
        read_pairs(table)


def test_images_beside_are_files_or_folders_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "m.nii").touch()
    (tmp_path / "plain").mkdir()
    table = tmp_path / "pairs.csv"
    table.write_text("subject,mask,unenhanced,adc\nA,m.nii,plain,m.nii\n")
    (pair,) = read_pairs(table)
    assert (pair.unenhanced, pair.adc) == (tmp_path / "plain", tmp_path / "m.nii")
    table.write_text("subject,mask,unenhanced,adc\nA,m.nii,no,adc.nii\n")
    with pytest.raises(InputError, match=r"unenhanced 'no' is not there; line 2: adc 'adc\.nii' is not there"):
        read_pairs(table)


def test_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_pairs(tmp_path / "no.csv")
