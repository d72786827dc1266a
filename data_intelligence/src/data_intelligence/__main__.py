"""``python -m data_intelligence``."""

import sys

from data_intelligence.cli import app
from hrv_shared.cli import json_default, run

if sys.argv[1:2] == ["bench"]:
    sys.argv[1:] = json_default(sys.argv[1:])
run(app)
