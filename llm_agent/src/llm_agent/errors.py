"""Errors of the agent.

HrvError
├── AgentError
│   ├── NoBriefing            the summary or the models' combination that the agent corrects is not there yet
│   ├── BadCases              a benchmark's file of cases that can't be used
│   ├── BadEdit               an edit of the belief state that can't be made
│   └── BadPrompt             a prompt file that can't be used, or the one in use is missing
└── Refusal (hrv_shared)
    ├── UngroundedOpinion     the reply rests on nothing that stands in the briefing
    └── ModelFailed           the language model could not be asked, or did not answer on schema
"""

from __future__ import annotations

from hrv_shared.errors import HrvError, Refusal

__all__ = ["AgentError", "BadCases", "BadEdit", "BadPrompt", "ModelFailed", "NoBriefing", "UngroundedOpinion"]


class AgentError(HrvError):
    """The agent could not begin."""


class NoBriefing(AgentError):
    """What the agent corrects is not there yet."""


class BadCases(AgentError):
    """A benchmark's file of cases that can't be used."""


class BadEdit(AgentError):
    """An edit of the belief state that can't be made."""


class BadPrompt(AgentError):
    """A prompt file that can't be used, or the one in use is missing."""


class UngroundedOpinion(Refusal):
    """The reply rests on nothing that stands in the briefing."""


class ModelFailed(Refusal):
    """The language model could not be asked, or did not answer on schema."""
