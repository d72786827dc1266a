"""What the packaging tests share: a small checkout with the real launcher, and packages to install with no network."""

import hashlib
import importlib.metadata
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILDERS = ("hatchling", "editables", "packaging", "pathspec", "pluggy", "trove-classifiers")
sys.path.insert(0, str(ROOT / "tools"))


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory):
    """A folder of wheels, packed again from the installed build tools."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    for name in BUILDERS:
        _pack(importlib.metadata.distribution(name), folder)
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, wheelhouse):
    """A checkout with the real launcher, eight rooms without dependencies, and a lock of the build tools alone."""
    root = tmp_path_factory.mktemp("a place with spaces") / "checkout"
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(ROOT / "hrv", root / "hrv")
    lock = "".join(_locked(wheel) for wheel in sorted(wheelhouse.glob("*.whl")))
    (root / "requirements.lock").write_text(lock, encoding="utf-8")
    for project in ROOT.glob("*/pyproject.toml"):
        _copy_room(project.parent.name, root / project.parent.name, lock)
    (root / "orchestrator/src/orchestrator/__main__.py").write_text(
        "import sys\nprint('ran', *sys.argv[1:])\n", encoding="utf-8"
    )
    return root


def _pack(distribution, folder):
    """Write the installed files of a pure-Python distribution as a wheel again."""
    target = folder / f"{distribution.name.replace('-', '_')}-{distribution.version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as wheel:
        for file in distribution.files:
            if (
                ".." not in file.parts
                and file.suffix != ".pyc"
                and file.name not in ("INSTALLER", "REQUESTED")
            ):
                wheel.write(file.locate(), str(file))


def _locked(wheel):
    name, version = wheel.name.split("-")[:2]
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def _copy_room(room, target, lock):
    package = "hrv_shared" if room == "shared" else room
    (target / "src" / package).mkdir(parents=True)
    (target / "src" / package / "__init__.py").write_text("", encoding="utf-8")
    (target / "requirements.lock").write_text(lock, encoding="utf-8")
    (target / "pyproject.toml").write_text(
        f'[project]\nname = "{package.replace("_", "-")}"\nversion = "0"\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[tool.hatch.build.targets.wheel]\npackages = ["src/{package}"]\n',
        encoding="utf-8",
    )
