"""``python -m llm_agent``."""

from hrv_shared.cli import run
from llm_agent.cli import app

run(app)
