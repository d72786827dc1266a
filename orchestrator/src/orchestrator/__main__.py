"""``python -m orchestrator`` is ``hrv``."""

from orchestrator.cli import main

main()
