"""``python -m journal_analysis``."""

import sys

from hrv_shared.cli import json_default, run
from journal_analysis.cli import app

if __name__ == "__main__":
    if sys.argv[1:2] == ["bench"]:
        sys.argv[1:] = json_default(sys.argv[1:])
    run(app)
