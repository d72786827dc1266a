"""Measure the agent on frozen cases: what it does right, what code by rules would have done, what attacks change."""

from llm_agent.bench.cases import load_cases

__all__ = ["load_cases"]
