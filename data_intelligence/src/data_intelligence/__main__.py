"""``python -m data_intelligence``."""

from data_intelligence.cli import app
from hrv_shared.cli import run

run(app)
