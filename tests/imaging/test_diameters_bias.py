"""The study of bias: its limits hold on shapes that it has not seen, and its page holds what it makes."""

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

pytestmark = pytest.mark.checkout

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "imaging"
SEED = 99  # not that of the study
# Mean bias that is allowed, in pixels; the study's own figures are half of it.
LONGEST, SHORT = 0.15, 0.25


@cache
def study() -> ModuleType:
    found = importlib.util.spec_from_file_location("diameter_bias", FOLDER / "diameter_bias.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["diameter_bias"] = module  # its dataclass looks itself up
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize("size", [10, 15, 20, 30, 50, 80, 120])
def test_ellipses_of_each_size(size: int) -> None:
    rng = np.random.default_rng(SEED + size)
    shapes = [study().ellipse(size, rng.uniform(0.3, 1.0), rng) for _ in range(150)]
    found = study().errors(shapes, "contour")
    assert abs(found.longest.mean()) < LONGEST - 0.03
    assert abs(found.short.mean()) < SHORT - 0.1


@pytest.mark.parametrize(("low", "high"), [(0.3, 0.45), (0.45, 0.6), (0.6, 0.8), (0.8, 1.0)])
def test_ellipses_of_each_axis_ratio(low: float, high: float) -> None:
    rng = np.random.default_rng(SEED)
    shapes = [
        study().ellipse(size, rng.uniform(low, high), rng) for size in (10, 15, 20, 30, 50, 80, 120) for _ in range(40)
    ]
    found = study().errors(shapes, "contour")
    assert abs(found.longest.mean()) < LONGEST
    assert abs(found.short.mean()) < SHORT - 0.1


@pytest.mark.parametrize("spacing", [1.0, 3.0])
@pytest.mark.parametrize("size", [10, 20, 40])
def test_ellipsoids(size: int, spacing: float) -> None:
    rng = np.random.default_rng(SEED)
    found = np.array([study().ellipsoid_errors(size, spacing, rng)["contour"] for _ in range(25)])
    assert abs(found[:, 0].mean()) < (0.3 if size == 10 else 0.2)
    assert abs(found[:, 1].mean()) < SHORT


def test_no_other_convention_is_nearer() -> None:
    rng = np.random.default_rng(SEED)
    for size in (10, 30, 80):
        shapes = [study().ellipse(size, rng.uniform(0.3, 1.0), rng) for _ in range(60)]
        bias = {name: np.abs([axis.mean() for axis in study().errors(shapes, name)]) for name in study().CONVENTIONS}
        assert min(bias, key=lambda name: bias[name].sum()) == "contour"


def test_the_page_holds_what_the_study_makes() -> None:
    # Each row has its own seed, so that one of each table can be made again; the whole is a matter of a minute.
    rows = slice(1, 2)
    page = (FOLDER / "diameter_bias.md").read_text(encoding="utf-8").splitlines()
    made = study().report(300, rows=rows).splitlines()
    assert [line for line in made if line not in page] == []
    assert len([line for line in made if line.startswith("| ")]) > 30


def test_the_study_writes_its_tables_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- tables -->\nold\n<!-- tables -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["diameter_bias.py", "--samples", "10", "--write", str(page)])
    study().main()
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- tables -->")
    assert text.endswith("<!-- tables -->\nafter\n")
    assert "old" not in text
    assert "### Lobulated shapes" in text
