"""Runs the rooms in order, through Dagster; computes nothing itself."""

from orchestrator.cli import main

__all__ = ["main"]
