"""Check the code: `./hrv lint` and `./hrv test`."""

import os
import subprocess
import sys

from launcher import install, stamp
from launcher.stamp import ROOT


def test(arguments):
    """Run ruff, the import contract and then pytest, whose summary comes last; return the exit code.

    The switches HRV_SLOW=1 and HRV_REAL_LLM=1 let the tests in that carry those marks.
    """
    code = lint()
    if code:
        print("hrv: the checks above failed, so this run will fail; the tests follow all the same.")
    left_out = [
        mark for mark in ("slow", "real_llm") if os.environ.get(f"HRV_{mark.upper()}", "0") in ("", "0")
    ]
    command = ["-m", "pytest", "-m", " and ".join(f"not {mark}" for mark in left_out)]
    if not arguments:
        command += ["-n", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
    return _python(*command, *arguments) or code


def lint():
    """Run ruff and the import contract over everything; return the exit code."""
    if stamp.stale() and (code := install.refresh()):
        return code
    if not stamp.is_fresh(stamp.together()) and (code := install.refresh([stamp.together()])):
        return code
    # Through -c: a console script does not start where the path holds a space or is too long.
    contract = "from importlinter.cli import lint_imports_command as run; run()"
    return max(_python("-m", "ruff", "check", "."), _python("-c", contract))


def _python(*arguments):
    sys.stdout.flush()
    return subprocess.call([stamp.together().python, "-P", *arguments], cwd=ROOT)
