"""How criteria with a sum measure some lesions in another way, and the short cuts where there is little to do."""

import numpy as np
import pytest

from response.arrange import arrange
from response.block import Block
from response.criteria.products import lesion_grown, product_burden
from response.criteria.recist import CombinationOptions, recist_burden
from response.criteria.some_lesions import put, with_tracks
from response.criteria.sums import (
    ALL,
    Part,
    burden_with,
    targets_of,
)
from response.criteria.who import WHO_TEST
from response.vocabulary import State
from tests.trials import case

WITHOUT_PERPENDICULAR = "T1 liver 30|20|40 ; T2 lung 20|10|20"


def block(lesions: str) -> Block:
    """Return the only series of such a case as a block."""
    return arrange(case(lesions).measurements()).block(0, 1)


@pytest.mark.parametrize("those", [np.int8, np.int32, np.int64])
@pytest.mark.parametrize("kind", [np.int8, np.int32, np.int64])
def test_others_stand_at_their_lesions(kind: type[np.signedinteger], those: type[np.signedinteger]) -> None:
    values, tracks = np.arange(12).reshape(4, 3).astype(kind), np.asarray([1, 3])
    others = np.full((3, 2), np.iinfo(those).max, those).T
    found = with_tracks(values, tracks, others)
    assert found[1].tolist() == found[3].tolist() == [np.iinfo(those).max] * 3
    assert found[[0, 2]].tolist() == [[0, 1, 2], [6, 7, 8]]
    assert values.tolist() == np.arange(12).reshape(4, 3).tolist()


def test_an_array_without_others_is_the_same_one() -> None:
    values = np.arange(12).reshape(4, 3).astype(np.int8)
    assert with_tracks(values, np.asarray([1, 3]), values[[1, 3]]) is values
    assert with_tracks(values, np.zeros(0, np.intp), values[:0]) is values
    assert put(values, values > 100, State.ABSENT) is values


def test_what_is_measured_alike_is_the_same_burden_and_what_is_not_is_added_up_again() -> None:
    read = recist_burden(block(WITHOUT_PERPENDICULAR), CombinationOptions())
    alike = Part(tracks=np.asarray([0]), state=read.state[:1], value=read.value_um[:1])
    assert burden_with(read, alike) is read
    larger = Part(tracks=np.asarray([0]), state=read.state[:1], value=read.value_um[:1] + np.int64(2**40))
    assert burden_with(read, larger).sum_um.tolist() == (read.sum_um + 2**40).tolist()
    assert burden_with(read, Part(tracks=ALL, state=read.state, value=read.value_um)) is read


def test_a_lesion_without_a_second_diameter_has_not_grown_whether_another_has_one_or_not() -> None:
    alone = product_burden(recist_burden(block(WITHOUT_PERPENDICULAR), CombinationOptions()))
    assert not alone.sum_um.any()
    assert lesion_grown(alone, WHO_TEST).tolist() == [[False] * 3] * 2
    beside = product_burden(
        recist_burden(block(WITHOUT_PERPENDICULAR + " ; T3 lung 20x10|20x10|20x20"), CombinationOptions())
    )
    assert lesion_grown(beside, WHO_TEST).tolist() == [[False] * 3] * 2 + [[False, False, True]]


def test_the_products_are_made_once_and_leave_what_was_read() -> None:
    read = recist_burden(block("T1 liver 30x20|30x20"), CombinationOptions())
    assert product_burden(read) is product_burden(read)
    assert read.sum_um.tolist() == [[30_000, 30_000]]
    assert product_burden(read).sum_um.tolist() == [[600_000_000, 600_000_000]]


def test_targets_stand_out_at_every_timepoint() -> None:
    read = recist_burden(block("T1 liver 30|30 ; NT1 bone present|present"), CombinationOptions())
    assert read.is_target.tolist() == (targets_of(read) & np.ones((2, 2), np.bool_)).tolist()
    assert sorted(read.is_target[:, 0].tolist()) == [False, True]
