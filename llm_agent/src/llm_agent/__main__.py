"""``python -m llm_agent``."""

import sys

from hrv_shared.cli import json_default, run
from llm_agent.cli import app

if "bench" in sys.argv[1:2]:
    sys.argv[1:] = json_default(sys.argv[1:])
run(app)
