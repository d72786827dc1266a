"""The language model's own forecast: briefed, bounded, checked, scored like any other."""

from llm_agent.forecast import agent_forecast
from llm_agent.own_readings import set_reading, unset_reading
from llm_agent.understood import words_understood

__all__ = ["agent_forecast", "set_reading", "unset_reading", "words_understood"]
