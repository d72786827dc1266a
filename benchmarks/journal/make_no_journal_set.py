"""Make 300 recordings that hold no journal: silence, noises, music, voices without words, strangers' stories.

    TTS/bin/python make_no_journal_set.py --out SET
    hrv bench journal --data SET        # row "facts where none was told"

Everything is drawn from seeds; the stories are spoken by the voices of make_spoken_set.py, which says how to
install them.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from make_spoken_set import RATE, VOICES, _ready, speak, with_pink_noise
from scipy.signal import butter, fftconvolve, lfilter

Draw = Callable[[np.random.Generator, int], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    items = []
    for kind, draw in SOUNDS.items():
        for seed in range(EACH):
            rng = np.random.default_rng([seed, len(kind), *kind.encode()])
            sound = draw(rng, int(RATE * rng.uniform(3.0, 12.0)))
            level = 10 ** rng.uniform(-2.0, -0.2)
            items.append(
                _write(asked.out, f"{kind}_{seed:02d}", level * sound / max(1e-9, np.abs(sound).max()), "")
            )
    stories = tomllib.loads(Path(__file__).with_name("stories.toml").read_text(encoding="utf-8"))["stories"]
    voices = {name: voice for name in VOICES if (voice := _ready(name, VOICES[name]))}
    for number, story in enumerate(stories):
        said = " ".join(story.split())
        for name in list(voices)[number % 2 :: 2]:
            clean = speak(said, voices[name])
            items.append(_write(asked.out, f"story{number:02d}_{name}", clean, said))
            if name != "espeak":
                items.append(_write(asked.out, f"reversed{number:02d}_{name}", clean[::-1], ""))
            if name == "hibari":
                noisy = with_pink_noise(clean, 10.0, seed=number)
                items.append(_write(asked.out, f"story{number:02d}_noise10db", noisy, said))
    (asked.out / "manifest.json").write_text(json.dumps(items, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(items)} recordings in {asked.out}")


def _write(out: Path, name: str, samples: np.ndarray, said: str) -> dict:
    soundfile.write(out / f"{name}.flac", samples, RATE, subtype="PCM_16")
    group = (
        "a stranger's story" if said else "reversed speech" if name.startswith("reversed") else "no speech"
    )
    seconds = round(len(samples) / RATE, 2)
    return {
        "file": f"{name}.flac", "seconds": seconds, "kind": "no journal", "set": group, "reference": said,
        "labels": None,
    }  # fmt: skip


def _time(n: int) -> np.ndarray:
    return np.arange(n) / RATE


def _band(sound: np.ndarray, low: float, high: float) -> np.ndarray:
    b, a = butter(2, [low / (RATE / 2), high / (RATE / 2)], btype="band")
    return lfilter(b, a, sound)


def _coloured(power: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        spectrum = np.fft.rfft(rng.normal(size=n))
        return np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 1) ** power, n=n)

    return draw


def _silence(rng: np.random.Generator, n: int) -> np.ndarray:
    return 1e-4 * rng.normal(size=n) + np.concatenate([[1.0], np.zeros(n - 1)])


def _hum(rng: np.random.Generator, n: int) -> np.ndarray:
    base = rng.choice([50.0, 60.0])
    return sum(np.sin(2 * np.pi * base * k * _time(n)) / k for k in range(1, 9)) + 0.1 * rng.normal(size=n)


def _bursts(rate_hz: float, decay_s: float, low: float, high: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        hits, count = np.zeros(n), max(1, int(rate_hz * n / RATE))
        hits[rng.integers(0, n, count)] = rng.uniform(0.3, 1.0, count)
        envelope = fftconvolve(hits, np.exp(-_time(int(4 * decay_s * RATE)) / decay_s))[:n]
        return _band(envelope * rng.normal(size=n), low, high)

    return draw


def _breath(rng: np.random.Generator, n: int) -> np.ndarray:
    swell = np.clip(np.sin(2 * np.pi * rng.uniform(0.2, 0.4) * _time(n)), 0, 1) ** 2
    return swell * _band(rng.normal(size=n), 250, 2500)


def _snore(rng: np.random.Generator, n: int) -> np.ndarray:
    t = _time(n)
    swell = np.clip(np.sin(2 * np.pi * 0.27 * t), 0, 1) ** 2
    saw = (t * rng.uniform(35, 70)) % 1 - 0.5
    return swell * (_band(saw, 80, 900) + 0.2 * _band(rng.normal(size=n), 200, 1500))


def _notes(vibrato_hz: float, voices: int, harmonics: int) -> Draw:
    scale = 220.0 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        sound, t = np.zeros(n), _time(n)
        step = int(RATE * rng.uniform(0.2, 0.7))
        for start in range(0, n - 100, step):
            stop = min(n, start + int(1.1 * step))
            envelope = np.hanning(2 * (stop - start))[stop - start :]
            for pitch in rng.choice(scale, voices):
                phase = 2 * np.pi * pitch * t[start:stop] + 3 * np.sin(2 * np.pi * vibrato_hz * t[start:stop])
                sound[start:stop] += envelope * sum(
                    np.sin(k * phase) / k**1.5 for k in range(1, harmonics + 1)
                )
        return sound

    return draw


def _drums(rng: np.random.Generator, n: int) -> np.ndarray:
    return _bursts(3, 0.12, 60, 300)(rng, n) + 0.6 * _bursts(6, 0.03, 4000, 7500)(rng, n)


def _song(rng: np.random.Generator, n: int) -> np.ndarray:
    return _notes(5.5, 1, 12)(rng, n) + 0.5 * _notes(0.0, 3, 4)(rng, n) + 0.5 * _drums(rng, n)


def _vowels(rng: np.random.Generator, n: int) -> np.ndarray:
    """Humming: a buzz through two formants that wander, as a voice without words."""
    t, sound = _time(n), np.zeros(n)
    pitch = rng.uniform(90, 220) * (1 + 0.1 * np.sin(2 * np.pi * 0.3 * t))
    buzz = (np.cumsum(pitch) / RATE) % 1 - 0.5
    for start in range(0, n, RATE):
        first, second = rng.uniform(300, 800), rng.uniform(900, 2300)
        part = slice(start, min(n, start + RATE))
        sound[part] = (
            _band(buzz, 0.8 * first, 1.2 * first)[part] + _band(buzz, 0.9 * second, 1.1 * second)[part]
        )
    return sound


def _sweeps(low: float, high: float, rate_hz: float) -> Draw:
    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        t = _time(n)
        pitch = low + (high - low) * (0.5 + 0.5 * np.sin(2 * np.pi * rate_hz * t + rng.uniform(0, 6)))
        return np.sin(2 * np.pi * np.cumsum(pitch) / RATE)

    return draw


EACH = 11
SOUNDS: dict[str, Draw] = {
    "silence": _silence, "white": _coloured(0.0), "pink": _coloured(0.5), "brown": _coloured(1.0), "hum": _hum,
    "rain": _bursts(400, 0.004, 1000, 7000), "keyboard": _bursts(6, 0.01, 1500, 6000),
    "steps": _bursts(2, 0.05, 80, 600), "door": _bursts(0.5, 0.2, 60, 1200), "breath": _breath, "snore": _snore,
    "cough": _bursts(0.7, 0.12, 300, 3000), "flute": _notes(5.0, 1, 2), "piano": _notes(0.0, 1, 8),
    "chords": _notes(0.0, 4, 6), "singer": _notes(6.0, 1, 14), "drums": _drums, "song": _song, "vowels": _vowels,
    "siren": _sweeps(500, 1500, 0.4), "birds": _sweeps(2500, 5500, 6.0), "ringing": _sweeps(900, 1100, 15.0),
}  # fmt: skip

if __name__ == "__main__":
    main()
