"""Summaries and model forecasts in; the LLM's own forecast and its reasons out."""
