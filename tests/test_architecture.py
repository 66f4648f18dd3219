"""The one-way imports, read from the source; what a start imports; names; docstrings. Each guard fails once here."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

import response

pytestmark = pytest.mark.checkout

ROOT = Path(__file__).resolve().parent.parent

COMMAND_LINE = ("response.cli", "response.commands")

# A layer may know the ones before it, directly or through modules that stand in no layer, and none after it. A package
# stands for all that is in it.
LAYERS = (
    ("response.errors", "response.vocabulary"),
    ("response.cells", "response.findings", "response.protocol", "response.table"),
    ("response.columns", "response.measurements"),
    ("response.imaging",),
    ("response.block", "response.timeline"),
    ("response.criteria",),
    ("response.best",),
    ("response.result",),
    ("response.best_of_series",),
    ("response.engine",),
    ("response.checks",),
    COMMAND_LINE,
)
HEAVY = {"SimpleITK", "matplotlib", "openpyxl", "pandas", "pyarrow", "pydicom", "pyreadstat", "scipy"}
COMMANDS = (
    "response.cli",
    *(f"response.commands.{name}" for name in ("about", "images", "measuring", "reports", "run", "trial")),
)
MAY_READ_FILES = {"response.api", "response.sources", *COMMANDS}  # they look up response.io when asked to
HANDS_ON = {"response", "response.engine"}  # their lazy imports give what is asked of a result, or of the package

Imports = dict[str, dict[str, bool]]  # importer -> imported -> whether at module level


def source_files(root: Path) -> dict[str, Path]:
    """Return the modules of the project by import name; `io/` is response.io, and the link to it is passed over."""
    found = {}
    for file in [*(root / "response").rglob("*.py"), *(root / "io").rglob("*.py")]:
        parts = file.relative_to(root).with_suffix("").parts
        if parts[:2] != ("response", "io"):
            name = ".".join(("response", *parts) if parts[0] == "io" else parts)
            found[name.removesuffix(".__init__")] = file
    return found


def read_imports(files: Mapping[str, Path]) -> Imports:
    """Return which module imports which; within a function, or for types only, is not at module level."""
    return {
        name: dict(sorted(_imported(ast.parse(file.read_text(encoding="utf-8")), files, at_module_level=True)))
        for name, file in files.items()
    }


def _imported(node: ast.AST, known: Mapping[str, Path], *, at_module_level: bool) -> Iterator[tuple[str, bool]]:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        assert node.level == 0, f"line {node.lineno}: imports are absolute here"
        full_names = (f"{base}.{alias.name}" for alias in node.names)
        names = [full if full in known or full == "response.__version__" else base for full in full_names]
    yield from ((name, at_module_level) for name in names)
    later = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _is_for_types_only(node)
    for child in ast.iter_child_nodes(node):
        yield from _imported(child, known, at_module_level=at_module_level and not later)


def _is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def reachable(imports: Imports, start: str) -> set[str]:
    """Return all modules that one module imports, directly or not, at module level or within a function."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        new = {name for name in imports.get(todo.pop(), {}) if name in imports} - seen
        seen |= new
        todo.extend(new)
    return seen


def upward_imports(imports: Imports) -> set[tuple[str, str]]:
    """Return the pairs (module, module of a later layer that it comes to know)."""
    tops = {top: rank for rank, names in enumerate(LAYERS) for top in names}
    layer = {name: rank for name in imports for top, rank in tops.items() if f"{name}.".startswith(f"{top}.")}
    below = {
        name: {other: top for other, top in found.items() if top or name not in HANDS_ON}
        for name, found in imports.items()
    }
    return {(name, other) for name in layer for other in reachable(below, name) if layer.get(other, -1) > layer[name]}


def rings(imports: Imports) -> set[str]:
    """Return the modules that import themselves by way of others, at module level."""
    top = {name: {other: True for other, at_top in found.items() if at_top} for name, found in imports.items()}
    return {name for name in top if name in reachable(top, name)}


def file_readers(imports: Imports) -> set[tuple[str, str]]:
    """Return the imports of response.io by the core that are not the lazy ones of the few that may."""
    return {
        (name, other)
        for name, found in imports.items()
        for other, at_module_level in found.items()
        if not name.startswith("response.io.")
        and f"{other}.".startswith("response.io.")
        and (at_module_level or name not in MAY_READ_FILES)
    }


def shadowing(names: Iterable[str]) -> set[str]:
    """Return the modules whose last name is one of the standard library's."""
    return {name for name in names if name.rpartition(".")[2] in sys.stdlib_module_names}


@pytest.fixture(scope="module")
def files() -> dict[str, Path]:
    return source_files(ROOT)


@pytest.fixture(scope="module")
def imports(files: dict[str, Path]) -> Imports:
    return read_imports(files)


def test_no_layer_knows_a_later_one(imports: Imports) -> None:
    assert upward_imports(imports) == set()


def test_every_layer_is_there(imports: Imports) -> None:
    # A module that was renamed would be guarded no more.
    assert {top for names in LAYERS for top in names} <= imports.keys()


def test_no_module_imports_itself_by_way_of_others(imports: Imports) -> None:
    assert rings(imports) == set()


def test_the_core_opens_no_files(imports: Imports) -> None:
    assert file_readers(imports) == set()


def test_nothing_within_needs_the_public_interface(imports: Imports) -> None:
    # `import response` inside would tie every module to every other.
    inner = {name for name, found in imports.items() if "response" in found}
    assert {name for name in inner if name not in COMMAND_LINE} == set()


def test_no_module_is_named_like_the_standard_library(files: dict[str, Path]) -> None:
    # Who stands in io/ and says `import csv` would get ours.
    assert shadowing(files) == set()


def _planted(folder: Path, sources: Mapping[str, str]) -> Imports:
    for name, source in sources.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    return read_imports(source_files(folder))


def test_the_layer_guard_fails_on_a_planted_import(tmp_path: Path) -> None:
    imports = _planted(
        tmp_path,
        {
            "response/vocabulary.py": "",
            "response/timeline.py": "import response.vocabulary\ndef late():\n    from response import between\n",
            "response/criteria/choi.py": "import response.timeline\n",
            "response/between.py": "from response.criteria.choi import CHOI\n",
        },
    )
    assert upward_imports(imports) == {("response.timeline", "response.criteria.choi")}
    assert rings(imports) == set()  # the one in the function does not run on import


def test_the_ring_guard_fails_on_a_planted_ring(tmp_path: Path) -> None:
    sources = {
        "response/a.py": "if True:\n    import response.b\n",
        "response/b.py": "import response.c\n",
        "response/c.py": "import response.a\n",
        "response/d.py": "import response.a\nimport response.e\n",
        "response/e.py": "if TYPE_CHECKING:\n    import response.d\n",  # known by name alone
    }
    assert rings(_planted(tmp_path, sources)) == {"response.a", "response.b", "response.c"}


def test_the_file_guard_fails_on_planted_imports(tmp_path: Path) -> None:
    imports = _planted(
        tmp_path,
        {
            "io/tables.py": "import response.io.text\n",
            "response/api.py": "def read():\n    from response.io import tables\n",
            "response/assess.py": "def lazy():\n    import response.io.tables\n",
            "response/cli.py": "from response.io.tables import read_table\n",
        },
    )
    assert file_readers(imports) == {("response.assess", "response.io.tables"), ("response.cli", "response.io.tables")}


def test_the_name_guard_fails_on_a_planted_name() -> None:
    assert shadowing(["response.io.csv", "response.io.tables", "response.statistics"]) == {
        "response.io.csv",
        "response.statistics",
    }


START = """
import json, sys
import response
if {cli}:
    import response.cli
    sys.argv = ["tumor-response", "--help"]
    try:
        response.cli.main()
    except SystemExit:
        pass
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""


def _printed(code: str) -> str:
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.mark.parametrize("cli", [False, True], ids=["import response", "tumor-response --help"])
def test_a_start_imports_nothing_heavy(cli: bool) -> None:
    # Each of them costs a tenth of a second to a second.
    code = START.format(cli=cli)
    loaded = set(json.loads(_printed(code).splitlines()[-1]))
    assert "response" in loaded
    assert loaded & HEAVY == set()


def test_the_public_interface_is_small() -> None:
    assert 0 < len(response.__all__) <= 15
    assert len(set(response.__all__)) == len(response.__all__)


@pytest.mark.parametrize("name", response.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert (getattr(response, name).__doc__ or "").strip(), name


def test_no_module_takes_the_place_of_a_public_name(files: dict[str, Path]) -> None:
    # Importing `response.x` sets `response.x` to the module, whatever the lazy lookup would have given.
    code = (
        f"import {', '.join(sorted(files))}\nprint([n for n in response.__all__ if not callable(getattr(response, n))])"
    )
    assert _printed(code).strip() == "[]"
