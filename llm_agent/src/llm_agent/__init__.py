"""The language model's own forecast: briefed, bounded, checked, scored like any other."""

from llm_agent.forecast import agent_forecast
from llm_agent.understood import words_understood

__all__ = ["agent_forecast", "words_understood"]
