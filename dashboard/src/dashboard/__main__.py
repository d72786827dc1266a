"""``python -m dashboard``."""

from dashboard.cli import app
from hrv_shared.cli import run

run(app)
