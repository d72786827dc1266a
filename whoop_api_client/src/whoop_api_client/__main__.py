"""``python -m whoop_api_client``."""

from hrv_shared.cli import run
from whoop_api_client.cli import app

if __name__ == "__main__":
    run(app)
