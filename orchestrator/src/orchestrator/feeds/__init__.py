"""Forecasts as files that other programs read: CSV, hubverse model output, a calendar."""
