"""Bounding boxes of labels, against scipy and brute force."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from response.imaging import label_boxes as module
from response.imaging.label_boxes import label_boxes

shapes = st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 9))


@given(arrays(st.sampled_from([np.uint8, np.int16, np.uint16, np.int32]), shapes, elements=st.integers(0, 5)))
def test_boxes_are_those_of_scipy(volume: NDArray[Any]) -> None:
    labels, boxes = label_boxes(volume)
    found = {
        int(label): tuple(slice(int(low), int(high)) for low, high in zip(*box, strict=True))
        for label, box in zip(labels, boxes, strict=True)
    }
    expected = {
        number: places
        for number, places in enumerate(ndimage.find_objects(volume.astype(int)), 1)
        if places is not None
    }
    assert found == expected
    assert list(labels) == sorted(labels)


@pytest.mark.parametrize("columns", [8, 9])  # read in words of eight bytes, or not
def test_labels_of_any_size_and_sign(columns: int) -> None:
    volume = np.zeros((3, 4, columns), np.int32)
    volume[1, 2, 3], volume[2, 0, 5:8], volume[0, 3, columns - 1] = -7, 2_000_000_000, 40_000
    labels, boxes = label_boxes(volume)
    assert labels.tolist() == [-7, 40_000, 2_000_000_000]
    assert boxes.tolist() == [
        [[1, 2, 3], [2, 3, 4]],
        [[0, 3, columns - 1], [1, 4, columns]],
        [[2, 0, 5], [3, 1, 8]],
    ]


def test_nothing_gives_nothing() -> None:
    for shape in ((2, 3, 8), (0, 3, 8), (2, 0, 3)):
        labels, boxes = label_boxes(np.zeros(shape, np.uint8))
        assert labels.shape == (0,)
        assert boxes.shape == (0, 2, 3)


def test_noise_is_brought_together_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    volume = np.random.default_rng(1).integers(0, 200, (6, 20, 24), dtype=np.uint16)
    whole = label_boxes(volume)
    monkeypatch.setattr(module, "ROWS_BEFORE_MERGING", 10)
    assert all((one == other).all() for one, other in zip(label_boxes(volume), whole, strict=True))


def test_views_that_are_not_contiguous() -> None:
    volume = np.random.default_rng(2).integers(0, 3, (4, 8, 16), dtype=np.uint8)
    turned = volume[::-1, :, ::2]
    for one, other in zip(label_boxes(turned), label_boxes(turned.copy()), strict=True):
        assert (one == other).all()
