"""The options of measuring: all documented, numbers may be decimal, and a protocol file sets them."""

from dataclasses import fields

import pytest

from response.errors import ProtocolError
from response.imaging.options import MeasureOptions
from response.protocol import Protocol, as_toml


@pytest.mark.parametrize("name", [item.name for item in fields(MeasureOptions)])
def test_every_option_says_what_it_decides(name: str) -> None:
    (item,) = (item for item in fields(MeasureOptions) if item.name == name)
    assert len(item.metadata["doc"]) > 20
    assert "\n" not in item.metadata["doc"]


def test_what_is_printed_is_read_back() -> None:
    changed = MeasureOptions(chun_homogeneous=1.75, necrosis_hu=25, viable_smoothing_mm=0.0, exclude_calcification=True)
    assert Protocol.from_toml(as_toml("measure", changed)).options("measure", MeasureOptions) == changed


def test_a_whole_number_will_do_for_a_decimal_one() -> None:
    options = Protocol.from_toml("[measure]\nchun_homogeneous = 2\n").options("measure", MeasureOptions)
    assert type(options.chun_homogeneous) is float
    assert as_toml("measure", options) == as_toml("measure", MeasureOptions(chun_homogeneous=2.0))


@pytest.mark.parametrize("value", ["nan", "-0.1", '"1.5"', "true", "[1.5]"])
def test_what_is_no_number_is_refused(value: str) -> None:
    with pytest.raises(ProtocolError, match="chun_homogeneous"):
        Protocol.from_toml(f"[measure]\nchun_homogeneous = {value}\n").options("measure", MeasureOptions)


def test_a_decimal_number_will_not_do_for_a_whole_one() -> None:
    with pytest.raises(ProtocolError, match="necrosis_hu"):
        Protocol.from_toml("[measure]\nnecrosis_hu = 25.5\n").options("measure", MeasureOptions)
