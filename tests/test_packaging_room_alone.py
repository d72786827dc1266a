"""A room lives alone with `shared` beside it: what its environment.yml lists makes an environment that runs it.

conda writes the pip part into a file beside environment.yml and runs `pip install -U -r FILE` there; the same is
done here, in a fresh environment, and then the last command of the file's own instructions. Needs the network.
"""

import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
LIGHTEST = "shared"
OTHERS = sorted(path.parent.name for path in ROOT.glob("*/environment.yml") if path.parent.name != LIGHTEST)
NO_NETWORK = (
    "Failed to establish a new connection",
    "Name or service not known",
    "Temporary failure in name resolution",
)
pytestmark = pytest.mark.timeout(1500)


@pytest.mark.parametrize("room", [LIGHTEST, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)])
def test_room_alone(room, tmp_path):
    for name in {"shared", room}:
        left_out = shutil.ignore_patterns(".venv", "__pycache__", ".hypothesis", ".pytest_cache")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=left_out)
    folder, environment = tmp_path / room, tmp_path / "environment"
    base = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    subprocess.run([base, "-m", "venv", environment], check=True, timeout=120)
    python = environment / "bin" / "python"

    text = (folder / "environment.yml").read_text()
    parts = next(part["pip"] for part in yaml.safe_load(text)["dependencies"] if isinstance(part, dict))
    (folder / "condaenv.requirements.txt").write_text("\n".join(parts))
    _pip(python, folder, "install", "-U", "-r", "condaenv.requirements.txt", "--exists-action=b")
    last = next(line for line in text.splitlines() if line.startswith("#   pip install"))
    # No index: this step must find all that it needs.
    _pip(python, folder, *shlex.split(last.removeprefix("#   pip ")), PIP_NO_INDEX="1")
    _pip(python, folder, "check")

    package = "hrv_shared" if room == "shared" else room
    for arguments in (["-c", f"import {package}"], ["-m", "pytest", "-q", "--collect-only"]):
        answer = _run([python, *arguments], folder)
        assert answer.returncode == 0, answer.stdout + answer.stderr
    others = [path.name for path in ROOT.glob("*/src/*") if path.name not in ("hrv_shared", package)]
    seen = [name for name in others if _run([python, "-P", "-c", f"import {name}"], folder).returncode == 0]
    assert seen == [], "a room alone must find no other room"
    if room != LIGHTEST:
        answer = _run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder)
        assert answer.returncode == 0, answer.stdout[-3000:]


def test_the_wheel_of_the_models_brings_the_shipped_pool(tmp_path):
    """Every pooled forecaster starts from it; a wheel without it would install and then refuse."""
    room = tmp_path / "model_training"
    shutil.copytree(ROOT / "model_training", room, ignore=shutil.ignore_patterns(".venv", "__pycache__", "tests"))
    made = _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"], room)
    assert made.returncode == 0, made.stdout + made.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        name = "model_training/pool_data/pool.json.gz"
        assert packed.read(name) == (ROOT / "model_training" / "src" / name).read_bytes()
        assert "model_training/pool_data/CARD.md" in packed.namelist()


def _pip(python, folder, *arguments, **environ):
    answer = _run([python, "-m", "pip", *arguments], folder, **environ)
    if (
        answer.returncode
        and any(sign in answer.stdout + answer.stderr for sign in NO_NETWORK)
        and not os.environ.get("CI")
    ):
        pytest.skip("no network: the packages of the lock can't be downloaded")
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]


def _run(command, folder, **environ):
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHONPATH"))
    }
    return subprocess.run(
        command, cwd=folder, env=clean | environ, capture_output=True, text=True, timeout=1200
    )
