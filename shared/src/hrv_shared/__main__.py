"""``python -m hrv_shared``."""

from hrv_shared.cli import run
from hrv_shared.commands import app

run(app)
