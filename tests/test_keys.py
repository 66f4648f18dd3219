"""Dense ids by every path, against numpy's own; and the order of labels."""

import numpy as np
import pytest

from response.keys import dense_ids, has_number, is_baseline_label, natural_key

KEYS = [
    ("every key occurs", [0, 1, 2, 1], 3),
    ("some keys do not occur", [5, 0, 5, 2], 6),
    ("ascending and sparse", [3, 3, 70, 900], 1_000),
    ("sparse and in any order", [900, 3, 70, 3], 1_000),
    ("too many possible keys", [2**40, 7, 2**40], 2**41),
    ("one key", [4], 100),
    ("none", [], 100),
]


@pytest.mark.parametrize(("keys", "size"), [case[1:] for case in KEYS], ids=[case[0] for case in KEYS])
def test_dense_ids_are_those_of_the_sorted_distinct_keys(keys: list[int], size: int) -> None:
    ids, distinct = dense_ids(np.asarray(keys, np.int64), size)
    expected, inverse = np.unique(np.asarray(keys, np.int64), return_inverse=True)
    assert distinct.tolist() == expected.tolist()
    assert ids.tolist() == inverse.tolist()
    assert ids.dtype == np.int32


def test_numbers_in_labels_are_sorted_as_numbers() -> None:
    assert sorted(["T10", "T2", "t1", "N3"], key=natural_key) == ["N3", "t1", "T2", "T10"]


@pytest.mark.parametrize("label", ["Baseline", "SCREENING", "0", "Week 0", "pre-treatment", "0.0"])
def test_labels_that_say_baseline(label: str) -> None:
    assert is_baseline_label(label)
    assert has_number(label)


@pytest.mark.parametrize("label", ["10", "Week 8", "post-baseline", "baseline + 3", "20", ""])
def test_labels_that_do_not(label: str) -> None:
    assert not is_baseline_label(label)
