"""What the orchestrator promises, measured: schedules over simulated years, and what a step costs."""
