"""Codes straight from the bytes of a sequence: what pydicom reads from the same bytes, or nothing."""

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from response.io.sr_quick_codes import quick_code
from tests.sr_factory import code_item

TAG = 0x0040A043  # Concept Name Code Sequence
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


def raw_of(*items: Dataset, syntax: str = ExplicitVRLittleEndian, undefined: bool = False) -> RawDataElement:
    """Return a code sequence as pydicom has it before it is looked at."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.ConceptNameCodeSequence = list(items)
    if undefined:
        for item in items:
            item.is_undefined_length_sequence_item = True
    buffer = BytesIO()
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    dcmwrite(buffer, made, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    read = dcmread(BytesIO(_with_meta(buffer.getvalue(), syntax)))
    found = read._dict[TAG]
    assert isinstance(found, RawDataElement)
    return found


def _with_meta(body: bytes, syntax: str) -> bytes:
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = b"\2\0\x10\0UI" + len(value).to_bytes(2, "little") + value
    length = b"\2\0\0\0UL\4\0" + len(meta).to_bytes(4, "little")
    return b"\0" * 128 + b"DICM" + length + meta + body


PLAIN = [
    ("short", ("103339001", "SCT", "Long Axis")),
    ("odd lengths, padded", ("G-A185", "SRT", "Axis long")),
    ("no meaning", ("112039", "DCM")),
    ("another order of elements behind them", ("1", "99OWN", "x")),
]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["explicit", "implicit"])
@pytest.mark.parametrize(("why", "code"), PLAIN, ids=[case[0] for case in PLAIN])
def test_a_plain_code_is_read(why: str, code: tuple[str, ...], syntax: str) -> None:
    item = code_item(code)
    if why.startswith("another"):
        item.CodingSchemeVersion, item.ContextIdentifier, item.ContextUID = "2.0", "7021", "1.2.840.10008.6.1.1"
        item.MappingResource, item.ContextGroupExtensionFlag = "DCMR", "N"
    assert quick_code(raw_of(item, syntax=syntax)) == (*code, "", "")[:3]


def test_elements_with_long_lengths_are_passed_over() -> None:
    item = code_item(("1", "99OWN", "x"))
    item.EquivalentCodeSequence = [code_item(("2", "99OWN", "y"))]  # (0008,0121): a length of four bytes
    assert quick_code(raw_of(item)) == ("1", "99OWN", "x")


def test_of_several_items_the_first_counts() -> None:
    assert quick_code(raw_of(code_item(("1", "A", "x")), code_item(("2", "B", "y")))) == ("1", "A", "x")


def _long() -> Dataset:
    item = Dataset()
    item.LongCodeValue, item.CodingSchemeDesignator = "1" * 20, "SCT"
    return item


def _both() -> Dataset:
    item = code_item(("1", "SCT", "x"))
    item.URNCodeValue = "urn:lex:us:federal:1"
    return item


LEFT = [
    ("no item", raw_of()),
    ("a long value", raw_of(_long())),
    ("a URN beside it", raw_of(_both())),
    ("letters beyond ASCII", raw_of(code_item(("1", "SCT", "Läsion")))),
    ("an escape to another character set", raw_of(code_item(("1", "SCT", "x\x1b(Jy")))),
    ("an item without value", raw_of(code_item(("", "SCT", "x")))),
    ("an item of undefined length", raw_of(code_item(("1", "SCT", "x")), undefined=True)),
    ("big endian", raw_of(code_item(("1", "SCT", "x")), syntax=ExplicitVRBigEndian)),
]


@pytest.mark.parametrize(("why", "raw"), LEFT, ids=[case[0] for case in LEFT])
def test_anything_else_is_left_to_pydicom(why: str, raw: RawDataElement) -> None:
    assert quick_code(raw) is None


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["explicit", "implicit"])
def test_bytes_that_are_cut_or_too_many_are_left_to_pydicom(syntax: str) -> None:
    whole = raw_of(code_item(("103339001", "SCT", "Long Axis")), syntax=syntax)
    assert quick_code(whole) is not None
    assert isinstance(whole.value, bytes)
    for end in range(len(whole.value)):
        assert quick_code(whole._replace(value=whole.value[:end])) is None
    assert quick_code(whole._replace(value=None)) is None
    length = int.from_bytes(whole.value[4:8], "little")
    short = whole.value[:4] + (length - 2).to_bytes(4, "little") + whole.value[8:]
    assert quick_code(whole._replace(value=short)) is None
