"""Outcomes, scores, checks of both, and what starts a forecast."""
