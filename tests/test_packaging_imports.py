"""The import contract holds, and it notices each kind of break."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINT = [sys.executable, "-P", "-c", "from importlinter.cli import lint_imports_command as run; run()"]


def test_contract_holds():
    answer = subprocess.run(LINT, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"Contracts: [4-9] kept, 0 broken", answer.stdout)


def test_contract_notices_each_kind_of_break(tmp_path):
    """The same contract over a small house whose rooms break it in four ways."""
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    for room in ROOT.glob("*/src/*/__init__.py"):
        (tmp_path / room.parent.name).mkdir()
        (tmp_path / room.parent.name / "__init__.py").write_text("")
    assert "0 broken" in _lint(tmp_path)
    breaks = {
        "hrv_shared": "import llm_agent",
        "orchestrator": "def run():\n    import model_training",
        "whoop_api_client": "import dashboard",
        "dashboard": "from journal_analysis import parts",
    }
    (tmp_path / "journal_analysis" / "parts.py").write_text("")
    for package, line in breaks.items():
        (tmp_path / package / "broken.py").write_text(line + "\n")
    answer = _lint(tmp_path)
    assert "0 kept, 4 broken" in answer, answer


def test_dashboard_may_call_public_verbs(tmp_path):
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    for room in ROOT.glob("*/src/*/__init__.py"):
        (tmp_path / room.parent.name).mkdir()
        (tmp_path / room.parent.name / "__init__.py").write_text("")
    (tmp_path / "journal_analysis" / "parts.py").write_text("def verb(): ...\n")
    (tmp_path / "journal_analysis" / "__init__.py").write_text(
        "from journal_analysis.parts import verb as verb\n"
    )
    (tmp_path / "dashboard" / "page.py").write_text("from journal_analysis import verb as verb\n")
    assert "4 kept, 0 broken" in _lint(tmp_path)


def _lint(folder):
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(LINT, cwd=folder, env=environ, capture_output=True, text=True, timeout=100).stdout
