"""``python -m model_training``."""

import sys

from hrv_shared.cli import json_default, run
from model_training.cli import app

if sys.argv[1:2] == ["bench"]:
    sys.argv[1:] = json_default(sys.argv[1:])
run(app)
