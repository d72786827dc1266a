"""The language model's own forecast: briefed, bounded, checked, scored like any other."""

from llm_agent.forecast import agent_forecast

__all__ = ["agent_forecast"]
