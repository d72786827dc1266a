"""The launcher, run for real on a small checkout: real venv, real pip, packages from a folder instead of an index."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SYSTEM_PYTHON = str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def hrv(checkout, wheelhouse):
    """Run the launcher of the small checkout; returns the finished process."""

    def run(*arguments, **environ):
        return subprocess.run(
            [SYSTEM_PYTHON, checkout / "hrv", *arguments],
            env=_environ(wheelhouse, **environ), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
        )  # fmt: skip

    return run


def test_first_use_in_stages(hrv, checkout, wheelhouse):
    """One story, because each stage rests on the one before and an installation takes seconds."""
    for arguments in ([], ["--help"]):
        answer = hrv(*arguments)
        assert answer.returncode == 0 and "./hrv setup" in answer.stdout
    assert not (checkout / ".venv").exists(), "help must install nothing"

    first = hrv("daily", "--json", "two words")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "ran daily --json two words\n", "standard output belongs to the command alone"
    assert "445 MB" in first.stderr and "with pip" in first.stderr

    nowhere = {"PATH": "", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "HOME": "/nonexistent"}
    second = hrv("daily", **nowhere)
    assert (second.returncode, second.stdout, second.stderr) == (0, "ran daily\n", "")

    # A changed project is brought up to date in place, offline.
    kept = checkout / ".venv" / "kept"
    kept.touch()
    project = checkout / "dashboard" / "pyproject.toml"
    project.write_text(project.read_text() + "# changed\n")
    assert "our own code" in hrv("daily", **nowhere).stderr
    assert kept.exists()

    # A lock that can't be met is a sentence and a code; the environment survives, and the old lock works again.
    lock = checkout / "requirements.lock"
    good = lock.read_text()
    lock.write_text(good.replace("editables==", "editables==99"))
    broken = hrv("daily")
    assert broken.returncode == 1 and "run it again" in broken.stderr and broken.stdout == ""
    assert "Traceback" not in broken.stderr
    lock.write_text(good)
    assert hrv("daily", **nowhere).stdout == "ran daily\n"
    assert kept.exists()

    _kill_amid_installation(checkout, wheelhouse)
    again = hrv("daily")
    assert "starting over" in again.stderr and again.stdout == "ran daily\n"
    assert not kept.exists(), "a half-made environment must not be trusted"

    # Two at once: one works, the other waits and then finds everything done.
    lock.write_text(good + "\n")
    both = [_start(checkout, wheelhouse, "daily") for _ in range(2)]
    messages = [process.communicate(timeout=240)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], messages
    assert sorted("our own code" in text for text in messages) == [False, True], messages

    # A moved checkout gets a new environment: scripts and editable installs name the old place.
    moved = checkout.with_name("moved")
    shutil.copytree(checkout, moved, symlinks=True)
    answer = subprocess.run(
        [SYSTEM_PYTHON, moved / "hrv", "daily"],
        env=_environ(wheelhouse),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "new environment" in answer.stderr and answer.stdout == "ran daily\n"


def test_isolated_room(hrv, checkout):
    answer = hrv("setup", "--isolated", "dashboard")
    assert answer.returncode == 0, answer.stderr
    python = checkout / "dashboard" / ".venv" / "bin" / "python"
    packages = ("hrv_shared", "dashboard", "llm_agent")
    found = [
        subprocess.call([python, "-P", "-c", f"import {name}"], stderr=subprocess.DEVNULL)
        for name in packages
    ]
    assert found == [0, 0, 1], "a room sees itself and shared, and no other room"
    assert not (checkout / "llm_agent" / ".venv").exists()
    shutil.rmtree(checkout / "dashboard" / ".venv")


@pytest.mark.slow
def test_all_rooms_isolated(hrv, checkout):
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    assert hrv("setup", "--isolated").returncode == 0
    assert hrv("daily").stdout == "ran daily\n"
    assert not (checkout / ".venv").exists(), "eight isolated environments need no ninth"
    for environment in checkout.glob("*/.venv"):
        shutil.rmtree(environment)


@pytest.mark.skipif(
    shutil.which("uv") is None, reason="uv is not installed here; the pip way is tested above"
)
def test_with_uv(hrv, checkout):
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    answer = hrv("setup", PATH=os.environ["PATH"])
    assert answer.returncode == 0 and "with uv" in answer.stderr, answer.stderr
    assert hrv("daily", PATH="").stdout == "ran daily\n"


def test_python_without_pip_and_venv_gets_a_sentence(hrv, checkout, tmp_path):
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    for name in ("pip", "ensurepip"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")
    answer = hrv("setup", PYTHONPATH=str(tmp_path))
    assert answer.returncode == 1 and "Traceback" not in answer.stderr
    assert f"apt install python3.{sys.version_info.minor}-venv" in answer.stderr


def test_plain_debian_uses_the_pip_of_the_system(hrv, checkout, tmp_path):
    """There, Python comes without ensurepip, and pip as a package of its own."""
    shutil.rmtree(checkout / ".venv", ignore_errors=True)
    if subprocess.call([SYSTEM_PYTHON, "-c", "import pip"], stderr=subprocess.DEVNULL):
        pytest.skip("the Python that made this environment has no pip of its own")
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    answer = hrv("setup", PYTHONPATH=str(tmp_path))
    assert answer.returncode == 0, answer.stderr
    assert not (checkout / ".venv" / "bin" / "pip").exists()
    assert hrv("daily").stdout == "ran daily\n"


@pytest.mark.parametrize("arguments", [["--isolate"], ["dashboard"], ["--isolated", "attic"]])
def test_unknown_setup_arguments_get_a_sentence(hrv, arguments):
    answer = hrv("setup", *arguments)
    assert answer.returncode == 2 and "expected [--pip]" in answer.stderr and arguments[-1] in answer.stderr


def test_old_python_gets_a_sentence(tmp_path):
    ast.parse((ROOT / "hrv").read_text(), feature_version=(3, 6))
    pretend = "import runpy, sys; sys.version_info = (3, 9, 1); sys.argv = ['hrv', 'setup']; "
    code = pretend + f"runpy.run_path({str(ROOT / 'hrv')!r}, run_name='__main__')"
    answer = subprocess.run(
        [sys.executable, "-c", code], env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 1
    assert "expected Python 3.11 or newer, found 3.9" in answer.stderr and "Traceback" not in answer.stderr


def test_a_call_with_a_fresh_environment_loads_nothing_slow():
    """What a command pays for the launcher; the time itself would depend on the machine."""
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); before = set(sys.modules); "
    code += (
        "from launcher import stamp; stamp.is_fresh(stamp.together()); print(*(set(sys.modules) - before))"
    )
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "hashlib" in loaded
    assert not {"subprocess", "argparse", "tempfile", "json", "typing", "re"} & set(loaded)


def _kill_amid_installation(checkout, wheelhouse):
    shutil.rmtree(checkout / ".venv")
    process = _start(checkout, wheelhouse, "daily", start_new_session=True)
    packages = checkout / ".venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    deadline = time.monotonic() + 120
    while not (packages / "packaging").exists():
        assert process.poll() is None and time.monotonic() < deadline
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (checkout / ".venv" / ".hrv-stamp").exists()
    (checkout / ".venv" / "kept").touch()


def _start(checkout, wheelhouse, *arguments, **options):
    return subprocess.Popen(
        [SYSTEM_PYTHON, checkout / "hrv", *arguments], env=_environ(wheelhouse), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
    )  # fmt: skip


def _environ(wheelhouse, **changes):
    found_here = {f"{tool}_{key}": value for tool in ("PIP", "UV") for key, value in
                  {"NO_INDEX": "1", "OFFLINE": "1", "FIND_LINKS": str(wheelhouse)}.items()}  # fmt: skip
    return {"CI": "true", "PATH": "/usr/bin:/bin", "PIP_CONFIG_FILE": os.devnull, **found_here, **changes}
