"""Nothing private, nothing of this machine and nothing huge can be committed."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PRIVATE = (
    "data/record.sqlite", "record.sqlite", "record.sqlite-wal", "shared/ledger.sqlite-shm", "mlflow.db",
    "model_training/mlflow.db", "mlruns/0/meta.yaml", "mlartifacts/1/model.pkl", "tables.parquet",
    "data/tables/days.parquet",
    "audio/note.flac", "note.wav", "journal_analysis/note.m4a", "note.webm", "note.mp3", "note.ogg", "weights.gguf",
    ".env", "whoop.token", "whoop.token.json", "dashboard/whoop.tokens", "config/keys/token.key", "service-token",
    ".venv/bin/python", ".venv-setup/cache/wheel",
    "shared/.venv/bin/python",
)  # fmt: skip
MEDIA = {
    ".sqlite",
    ".db",
    ".parquet",
    ".gguf",
    ".onnx",
    ".pkl",
    ".wav",
    ".mp3",
    ".m4a",
    ".ogg",
    ".webm",
    ".flac",
    ".pem",
    ".key",
}
SHIPPED_MEDIA = {
    "journal_analysis/src/journal_analysis/data/demo_note.flac": "the spoken note of the demo, made by a synthesiser",
}
LARGE = {
    "llm_agent/src/llm_agent/data/mpnet-base-v2.reader": "what the reader of sentences alone has learned",
    "llm_agent/src/llm_agent/data/mpnet-base-v2.in-note": "what the reader of sentences in their note has learned",
}
"""Files above 1 MB that are there for a reason, and the reason."""
TOKEN_NAMES = re.compile(r"(^|[._-])(tokens?|secrets?|credentials?)(\.(json|txt|enc|bin|ini))?$")
HOME_PATH = re.compile(r"(?<![\w.])/(home|Users|root|work)/\w")
# In pieces, because this file is searched, too. The last is where wheels and sdists are kept.
INDEX_HOSTS = tuple(
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("anaconda", "org"))
)


@pytest.fixture(scope="module")
def candidates():
    """All files that are committed or would be by `git add`."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a Git checkout: nothing can be committed from here")
    listed = _git("ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    found = sorted({name for name in listed if name and (ROOT / name).is_file()})
    assert len(found) > 50
    return found


@pytest.mark.parametrize("name", PRIVATE)
def test_git_ignores_what_is_private(candidates, name):
    assert _ignored(name), f"{name} would be committed: add it to .gitignore"


def test_git_ignores_no_product_file(candidates):
    folders = [
        path for pattern in ("*/src", "*/tests", "docs", "tools", "tests") for path in ROOT.glob(pattern)
    ]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    ours = [
        str(path.relative_to(ROOT)) for path in files if not {"__pycache__", ".hypothesis"} & set(path.parts)
    ]
    lost = [name for name in ours if name not in candidates and not name.endswith(".pyc")]
    assert lost == [], "these files of the product are ignored by Git and would be missing in a clone"


def test_no_store_media_or_token_is_committed(candidates):
    media = [name for name in candidates if Path(name).suffix.lower() in MEDIA and name not in SHIPPED_MEDIA]
    tokens = [name for name in candidates if TOKEN_NAMES.search(Path(name).name)]
    assert (media, tokens) == ([], [])


def test_no_large_file_is_committed(candidates):
    large = {
        name: (ROOT / name).stat().st_size for name in candidates if (ROOT / name).stat().st_size > 1_000_000
    }
    assert {name: size for name, size in large.items() if name not in LARGE} == {}


def test_no_path_of_a_machine_is_committed(candidates):
    assert _lines_with(candidates, HOME_PATH.search) == []


def test_no_package_index_is_named(candidates):
    assert _lines_with(candidates, lambda line: any(host in line for host in INDEX_HOSTS)) == []


def _lines_with(names, wanted):
    found = []
    for name in names:
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [
            f"{name}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if wanted(line)
        ]
    return found


def _ignored(name):
    """Ask Git, for a file that need not exist and as if it were not committed."""
    return (
        subprocess.run(["git", "check-ignore", "--no-index", "-q", name], cwd=ROOT, check=False).returncode
        == 0
    )


def _git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout
