"""``python -m model_training``."""

from hrv_shared.cli import run
from model_training.cli import app

run(app)
