"""A real browser for the tests: Debian's Chromium through Playwright, with a file in the microphone's place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(
    (p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None
)
PATIENCE_MS = 240_000
"""A step of the browser may take so long on a busy machine; what is promised is measured where it is promised."""
WITHOUT = "needs Chromium (Debian: apt-get install chromium) and Playwright (pip install playwright)"


def require_browser() -> Any:
    """Playwright's entrance; skips with what is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason=WITHOUT)
    if CHROMIUM is None:
        pytest.skip(WITHOUT)
    return playwright


@contextmanager
def served(home: Path, config: Path, **settings: str) -> Iterator[str]:
    """The page as its command serves it; gives the address that carries the key."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")}
    env |= {
        "HRV_HOME": str(home),
        "HRV_CONFIG_DIR": str(config),
        "HRV_LLM_BACKEND": "none",
        "HRV_TOKEN_STORE": "file",
    }
    command = [sys.executable, "-m", "dashboard", "serve", "--port", "0", "--json"]
    server = subprocess.Popen(command, env=env | settings, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(server.stdout.readline())["url"]
    finally:
        server.terminate()
        server.communicate(timeout=30)


@contextmanager
def chromium(playwright: Any, microphone: Path | None = None) -> Iterator[Any]:
    """A browser without a window."""
    arguments = ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    if microphone is not None:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}%noloop")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=PATIENCE_MS)
        try:
            yield browser
        finally:
            browser.close()


def entered(browser: Any, url: str, **look: Any) -> Any:
    """A page that has come in by the printed address; troubles of its scripts fail the test."""
    page = browser.new_context(**look).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda said: page.troubles.append(said.text) if said.type == "error" else None)
    page.goto(url)
    page.wait_for_url(url.split("/enter/")[0] + "/")
    return page


def as_wave(recording: Path, target: Path, seconds: float) -> Path:
    """A recording's first seconds as the 48 kHz wave that Chromium's fake microphone plays."""
    import av
    import numpy as np

    with av.open(str(recording)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        pieces = [
            out.to_ndarray().reshape(-1)
            for frame in container.decode(audio=0)
            for out in resampler.resample(frame)
        ]
    samples = np.concatenate(pieces)[: int(seconds * 48_000)]
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(samples.astype("<i2").tobytes())
    return target
