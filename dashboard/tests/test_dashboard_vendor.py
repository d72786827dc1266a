"""The vendored scripts are those that their README names, and the policy fits the one style element of Plot."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import dashboard
from dashboard.gate_answers import HEADERS

VENDOR = Path(dashboard.__file__).parent / "static" / "vendor"
PLOT_CLASS = "hrvplot"
README = (VENDOR / "README.md").read_text()


def test_every_script_has_the_bytes_the_licence_and_the_row_that_it_should():
    rows = re.findall(
        r"`(\S+\.js)` \| `\S+` \| \S+ \| .*\(`(\S+)`\) \| `([0-9a-f]{64})`",
        README,
    )
    assert {name for name, _, _ in rows} == {path.name for path in VENDOR.glob("*.js")}
    for name, licence, digest in rows:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
        assert (
            "Copyright" in (VENDOR / licence).read_text() or "Zero-Clause" in (VENDOR / licence).read_text()
        )


def test_the_policy_lets_through_the_one_style_that_plot_writes():
    script = (VENDOR / "plot.umd.min.js").read_text()
    found = re.search(r'append\("style"\)\.text\(`(:where\(\.\$\{c\}\) \{.*?)`', script, re.DOTALL)
    style = found[1].encode().decode("unicode_escape").replace("${c}", PLOT_CLASS)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in HEADERS["content-security-policy"]
    assert f'"{PLOT_CLASS}"' in (VENDOR.parent / "plots.js").read_text()


def test_our_own_scripts_use_no_eval_and_write_no_html():
    for path in VENDOR.parent.glob("*.js"):
        text = path.read_text()
        for banned in (
            "eval(",
            ".innerHTML",
            ".outerHTML",
            "document.write",
            "insertAdjacentHTML",
            "new Function",
            "http://",
            "https://",
        ):
            assert banned not in text, (path.name, banned)
