"""Pulls from WHOOP: assets, checks, schedules, sensors."""
