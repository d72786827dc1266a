"""A store in a temporary folder, with a clock that stands still, and settings that never reach the network."""

from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from hrv_shared.models import ModelAbsent, resolve
from hrv_shared.settings import Settings, load_settings
from hrv_shared.store import Store

NOW = datetime(2026, 3, 4, 20, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"HRV_ALLOW_DOWNLOAD": "false"}, home=tmp_path / "home")


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings.home, clock=lambda: NOW)


@pytest.fixture
def record():
    """Write samples (16 kHz unless said, -1 … 1) as a recording of any format; ``tags`` go into its header."""

    def write(path: Path, samples, codec="pcm_s16le", rate=16_000, tags=None) -> Path:
        with av.open(str(path), "w") as container:
            container.metadata.update(tags or {})
            stream = container.add_stream(codec, rate=rate, layout="mono")
            resampler = av.AudioResampler(
                format=stream.format, layout="mono", rate=rate, frame_size=stream.frame_size or 1024
            )
            pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
            sound = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
            sound.rate, sound.pts = 16_000 if rate >= 44_100 else rate, 0
            for frame in [*resampler.resample(sound), *resampler.resample(None)]:
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def with_whisper(settings):
    """Settings with the real cache, for the tests that listen."""
    real = load_settings({})
    try:
        resolve(
            real.asr_model,
            cache_dir=real.cache_dir,
            configured_path=real.asr_model_path,
            allow_download=False,
        )
    except ModelAbsent:
        pytest.skip(
            f"the speech model {real.asr_model} is not in {real.cache_dir}; fetch it with: hrv models fetch asr"
        )
    return settings.model_copy(update={"cache_dir": real.cache_dir, "asr_model_path": real.asr_model_path})
