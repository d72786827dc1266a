"""``python -m journal_analysis``."""

from hrv_shared.cli import run
from journal_analysis.cli import app

if __name__ == "__main__":
    run(app)
