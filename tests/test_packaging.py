"""What is shipped: the wheel holds every module, and works installed, editable, and uninstalled in a checkout."""

import os
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

import pytest

import response

pytestmark = [pytest.mark.slow, pytest.mark.checkout]

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "response", "io")
# From wherever: `response.io` must be there, and `io` must stay the standard library's.
SMOKE = (
    "import io, response, response.io.tables; assert io.StringIO and 'StringIO' in dir(io); print(response.__file__)"
)


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment that borrows the dependencies of the running one, but not our own installation."""

    folder: Path

    @classmethod
    def fresh(cls, folder: Path) -> "Environment":
        venv.create(folder, with_pip=False, symlinks=True)
        (site,) = folder.glob("lib/python*/site-packages")
        # Lines of a .pth file are only put on the path: an editable install over there stays unseen.
        borrowed = [entry for entry in sys.path if Path(entry).name in {"site-packages", "dist-packages"}]
        (site / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
        return cls(folder)

    def install(self, *what: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.folder / "bin" / "python"), "install", "--quiet"]
        offline = ["--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
        run([*pip, *offline, *what], cwd=self.folder)

    def python(self, *arguments: str, cwd: Path, **variables: str) -> str:
        return run([str(self.folder / "bin" / "python"), *arguments], cwd=cwd, **variables)

    def command(self, *arguments: str, cwd: Path) -> str:
        return run([str(self.folder / "bin" / "tumor-response"), *arguments], cwd=cwd)


def run(command: list[str], *, cwd: Path, **variables: str) -> str:
    """Run a command without our own path settings; its whole output is in the message where it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST_"))}
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env=inherited | variables, check=False, timeout=900
    )
    assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def copy_of_the_tree(folder: Path) -> Path:
    """Copy what is shipped, so that no build leaves anything in the checkout; the link stays a link."""
    folder.mkdir(parents=True)
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def build_wheel(tree: Path) -> Path:
    """Build the source distribution of a tree, and the wheel from that."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tree / "dist"), str(tree)], cwd=tree)
    (wheel,) = (tree / "dist").glob("*.whl")
    return wheel


def differences(tree: Path, wheel: Path) -> set[str]:
    """Return the modules and data files that stand only in the tree or only in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    inner = {file.relative_to(tree).as_posix() for file in (tree / "response").rglob("*") if file.is_file()}
    outer = {f"response/{file.relative_to(tree).as_posix()}" for file in (tree / "io").rglob("*") if file.is_file()}
    there = {name for name in inner if not name.startswith("response/io/")} | outer
    return {name for name in there ^ shipped if "__pycache__" not in name}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("package") / "tree")


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    return build_wheel(tree)


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment.fresh(tmp_path_factory.mktemp("bare") / "venv")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = Environment.fresh(tmp_path_factory.mktemp("installed") / "venv")
    environment.install(str(wheel))
    return environment


def test_the_wheel_holds_the_tree(tree: Path, wheel: Path) -> None:
    assert differences(tree, wheel) == set()


def test_the_wheel_is_typed_and_licensed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition(".dist-info/")[2] or name for name in archive.namelist()}
        (metadata,) = (archive.read(name).decode() for name in archive.namelist() if name.endswith("/METADATA"))
    assert {"response/py.typed", "licenses/LICENSE"} <= names
    fields = message_from_string(metadata)
    assert (fields["Name"], fields["Version"]) == ("tumor-response", response.__version__)
    assert (fields["License-Expression"], fields["Requires-Python"]) == ("Apache-2.0", ">=3.11")


def test_the_wheel_guard_fails_on_planted_files(tmp_path: Path) -> None:
    # setuptools leaves out in silence what its list of packages does not name.
    planted = {"response/unlisted/__init__.py", "response/unlisted/module.py", "io/deeper/module.py"}
    tree = copy_of_the_tree(tmp_path / "tree")
    for name in planted:
        (tree / name).parent.mkdir(exist_ok=True)
        (tree / name).touch()
    missing = {name.replace("io/", "response/io/") for name in planted}
    assert differences(tree, build_wheel(tree)) == missing


def test_the_wheel_imports_from_another_folder(installed: Environment, tmp_path: Path) -> None:
    assert installed.python("-c", SMOKE, cwd=tmp_path).startswith(str(installed.folder))


def test_every_module_of_the_wheel_imports(installed: Environment, wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        files = [name for name in archive.namelist() if name.endswith(".py")]
    modules = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files]
    assert "response.io.tables" in modules
    installed.python("-W", "error", "-c", "import " + ", ".join(modules), cwd=tmp_path)


def test_the_entry_points_of_the_wheel_load(installed: Environment, tmp_path: Path) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    code = (
        "from importlib.metadata import entry_points\n"
        "for group in {groups!r}:\n    for point in sorted(entry_points(group=group)): point.load(); print(point.name)"
    )
    found = installed.python("-c", code.format(groups=list(declared)), cwd=tmp_path).split()
    assert sorted(found) == sorted(name for group in declared.values() for name in group)


def test_the_installed_command_runs_elsewhere(installed: Environment, tmp_path: Path) -> None:
    assert "assess" in installed.command("--help", cwd=tmp_path)
    assert response.__version__ in installed.command("--version", cwd=tmp_path)


def test_the_wheel_passes_the_tests(installed: Environment, tmp_path: Path) -> None:
    for name in ("tests", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy2(ROOT / name, tmp_path)
    # Files in, results out; what holds for the code alone is not tried a second time here.
    through_files = ("tests/io", "tests/test_acceptance.py", "tests/test_examples.py")
    options = ("-q", "-x", "--tb=short", "-p", "no:cacheprovider", "-m", "not slow and not checkout")
    assert " passed" in installed.python("-m", "pytest", *options, *through_files, cwd=tmp_path)


def test_the_checkout_works_beside_an_installed_wheel(installed: Environment) -> None:
    # Whoever stands in the root gets response/ of the checkout, not the wheel: its io must be there too.
    assert installed.python("-c", SMOKE, cwd=ROOT).startswith(str(ROOT))
    assert installed.python("-c", "import response.cli; print(response.cli.__file__)", cwd=ROOT).startswith(str(ROOT))


@pytest.mark.parametrize("setting", [[], ["--config-settings=editable_mode=strict"]], ids=["editable", "strict"])
def test_an_editable_install_imports_from_another_folder(setting: list[str], tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    environment = Environment.fresh(tmp_path / "venv")
    environment.install(*setting, "--editable", str(tree))
    assert environment.python("-c", SMOKE, cwd=tmp_path).startswith(str(tree))
    assert "assess" in environment.command("--help", cwd=tmp_path)


@pytest.mark.parametrize("link", ["gone", "a text file"])
def test_a_checkout_without_symlinks_works(link: str, bare: Environment, tmp_path: Path) -> None:
    # What a zip download, or git with core.symlinks=false, makes of the link.
    tree = copy_of_the_tree(tmp_path / "tree")
    (tree / "response" / "io").unlink()
    if link == "a text file":
        (tree / "response" / "io").write_text("../io", encoding="utf-8")
    for options in ([], ["-X", "frozen_modules=off"]):
        found = bare.python(*options, "-c", SMOKE, cwd=tmp_path, PYTHONPATH=str(tree))
        assert found.startswith(str(tree))


def test_the_guard_for_missing_links_is_needed(bare: Environment, tmp_path: Path) -> None:
    tree = copy_of_the_tree(tmp_path / "tree")
    (tree / "response" / "io").unlink()
    (tree / "pyproject.toml").unlink()  # no checkout, so the guard leaves the path alone
    with pytest.raises(AssertionError, match=r"No module named 'response\.io'"):
        bare.python("-c", SMOKE, cwd=tree)


def test_io_is_a_flat_folder_behind_a_link() -> None:
    # With an __init__.py, mypy and doctest take it for the standard `io`, and PYTHONPATH=. can kill the interpreter.
    assert not (ROOT / "io" / "__init__.py").exists()
    assert [entry.name for entry in (ROOT / "io").iterdir() if entry.is_dir() and entry.name != "__pycache__"] == []
    assert (ROOT / "response" / "io").readlink() == Path("../io")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_link_is_committed_as_a_link() -> None:
    assert run(["git", "ls-files", "--stage", "response/io"], cwd=ROOT).startswith("120000 ")
