"""Splitting multipart answers: any parts, cut anywhere; an answer that ends too early is never taken for whole."""

import tracemalloc
from collections.abc import Iterator, Sequence
from itertools import chain, repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from response.io.multipart import LARGEST_HEAD, MultipartError, boundary_of, media_type, split_parts

BODIES = st.lists(
    st.binary(max_size=40) | st.sampled_from([b"\r\n--", b"\r\n--b", b"--bo\r\n", b"\r\n\r\n"]), max_size=4
)


def message(bodies: Sequence[bytes], *, closing: bytes = b"--\r\n") -> bytes:
    parts = [b"\r\n--bound\r\nContent-Type: application/dicom\r\n\r\n" + body for body in bodies]
    return b"".join(parts) + b"\r\n--bound" + closing


def cut(data: bytes, places: Sequence[int]) -> Iterator[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    yield from (data[start:end] for start, end in zip([0, *ends], ends, strict=False) if data[start:end])


def split(pieces: Iterator[bytes]) -> list[bytes]:
    return [b"".join(part) for part in split_parts(pieces, b"bound")]


@given(BODIES, st.lists(st.integers(0, 10_000), max_size=12))
def test_any_parts_come_back_however_the_answer_is_cut(bodies: list[bytes], places: list[int]) -> None:
    assert split(cut(message(bodies), places)) == bodies
    assert split(cut(message(bodies).removeprefix(b"\r\n"), places)) == bodies  # as most servers begin


@given(BODIES, st.integers(0, 10_000), st.lists(st.integers(0, 10_000), max_size=4))
def test_every_answer_that_ends_too_early_is_told(bodies: list[bytes], end: int, places: list[int]) -> None:
    whole = message(bodies, closing=b"--")
    with pytest.raises(MultipartError):
        split(cut(whole[: end % len(whole)], places))


def test_what_is_not_taken_of_a_part_is_passed_over() -> None:
    parts = split_parts(iter([message([b"one", b"two"])]), b"bound")
    next(parts)
    assert b"".join(next(parts)) == b"two"


@pytest.mark.parametrize(
    ("begin", "why"),
    [
        (b"x" * LARGEST_HEAD * 2, "a body that is no multipart message at all"),
        (b"--bound\r\n" + b"h: v\r\n" * LARGEST_HEAD, "headers without end"),
    ],
)
def test_an_endless_beginning_is_refused_before_it_fills_the_memory(begin: bytes, why: str) -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for at in range(0, len(begin), 4096):
            taken += 1
            yield begin[at : at + 4096]

    with pytest.raises(MultipartError):
        split(pieces())
    assert taken <= LARGEST_HEAD // 4096 + 2, why


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary="a;b c"', b"a;b c"),
        ("multipart/related;boundary=abc;type=application/dicom", b"abc"),
        ("Multipart/Related; Boundary=abc", b"abc"),
        ('multipart/related; boundary="abc"; start="<x>"', b"abc"),
    ],
)
def test_boundaries_as_servers_write_them(header: str, boundary: bytes) -> None:
    assert boundary_of(header) == boundary
    assert media_type(header) == "multipart/related"


@pytest.mark.parametrize(
    "header", ["multipart/related", "multipart/related; boundary=", "", "multipart/related\r\nx: y"]
)
def test_a_header_without_boundary_is_refused(header: str) -> None:
    with pytest.raises(MultipartError):
        boundary_of(header)


def test_a_large_part_is_not_held_in_memory() -> None:
    piece = bytes(1 << 16)
    pieces = chain([b"--bound\r\n\r\n"], repeat(piece, 400), [b"\r\n--bound--"])
    tracemalloc.start()
    try:
        sizes = [sum(map(len, part)) for part in split_parts(pieces, b"bound")]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sizes == [400 << 16]
    assert peak < 1 << 20
