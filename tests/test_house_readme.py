"""Every command that a README names exists, with the options that it names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("*/README.md")), *sorted((ROOT / "docs").glob("*.md"))]
LAUNCHER = {"setup", "test", "lint", "--help"}


def commands() -> list[tuple[str, ...]]:
    found = set()
    for page in PAGES:
        for line in re.findall(r"\./hrv ([^`|&#\n]+)", page.read_text(encoding="utf-8")):
            words = line.split()
            verbs = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
            options = [word for word in words if word.startswith("--") and word != "--help"]
            if words and words[0] not in LAUNCHER:
                found.add((*verbs, *options))
    return sorted(found)


def test_the_readme_is_short_and_its_first_two_commands_do_all_the_set_up():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    assert re.findall(r"^make (\w+)", text, re.M)[:2] == ["demo", "test"]
    assert {"demo", "test"} <= set(re.findall(r"[\w]+", (ROOT / "Makefile").read_text()))


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_a_command_of_a_readme_exists(command):
    verbs = [word for word in command if not word.startswith("--")]
    shown = subprocess.run(
        [sys.executable, "-m", "orchestrator", *verbs, "--help"], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert [option for option in command if option.startswith("--") and option not in shown.stdout] == []


def test_the_readmes_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} points to {target}"
