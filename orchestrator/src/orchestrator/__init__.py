"""Dagster definitions and the hrv command: runs the rooms in order, computes nothing."""
