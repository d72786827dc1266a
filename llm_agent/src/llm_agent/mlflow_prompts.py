"""Prompts are files with versions; MLflow's registry mirrors them, so that a run or trace can name the one it used.

The files are the truth, the registry follows: ``data/prompts/<family>.json`` is the prompt in use and gets the alias
``champion``; ``<family>.challenger.json``, where there is one, is measured against it and gets ``challenger``. A file
whose digest is registered already is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from hrv_shared.mlflow_store import open_mlflow
from hrv_shared.store import Store
from llm_agent.errors import BadPrompt

__all__ = ["PromptFile", "prompt_files", "register_prompts", "registered_name"]

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class PromptFile:
    """One file of ``data/prompts``.

    Attributes
    ----------
    family : str
        For which kind of model; the first part of the file's name.
    alias : str
        ``champion`` or ``challenger``.
    version : str
        As the file says.
    digest : str
        The first eight hexadecimal digits of its SHA-256, as the ledger's version has them.
    """

    family: str
    alias: str
    version: str
    digest: str
    text: str


def prompt_files() -> tuple[PromptFile, ...]:
    """Every prompt that ships, by name.

    Raises
    ------
    BadPrompt
        A file that can't be read, or names no version.
    """
    entries = files("llm_agent").joinpath("data", "prompts").iterdir()
    return tuple(
        _read(entry.name.removesuffix(".json"), entry.read_bytes())
        for entry in sorted(entries, key=lambda entry: entry.name)
        if entry.name.endswith(".json")
    )


def registered_name(family: str) -> str:
    """What MLflow calls a family of prompts."""
    return f"hrv-agent-{family}"


def register_prompts(store: Store, prompts: Sequence[PromptFile]) -> list[dict[str, Any]]:
    """Enter what is new, then point the aliases.

    Returns
    -------
    list of dict
        ``family``, ``version``, ``digest``, ``registered`` (its number in the registry), ``new``, ``alias``.
    """
    mlflow = open_mlflow(store)
    client = mlflow.MlflowClient()
    rows: list[dict[str, Any]] = []
    for family in dict.fromkeys(prompt.family for prompt in prompts):
        known = _registered(client, family)
        some = [prompt for prompt in prompts if prompt.family == family]
        for prompt in some:
            new = prompt.digest not in known
            if new:
                known[prompt.digest] = mlflow.genai.register_prompt(
                    name=registered_name(family), template=prompt.text, commit_message=f"version {prompt.version}",
                    tags={"digest": prompt.digest, "prompt_version": prompt.version},
                ).version  # fmt: skip
            rows.append(
                {"family": family, "version": prompt.version, "digest": prompt.digest,
                 "registered": int(known[prompt.digest]), "new": new, "alias": prompt.alias}
            )  # fmt: skip
        _point(client, family, {prompt.alias: int(known[prompt.digest]) for prompt in some})
    return rows


def _registered(client: Any, family: str) -> dict[str, int]:
    """Digest -> number in the registry."""
    name = registered_name(family)
    if not client.search_prompts(f"name = '{name}'"):
        return {}
    return {v.tags["digest"]: int(v.version) for v in client.search_prompt_versions(name)}


def _point(client: Any, family: str, wanted: dict[str, int]) -> None:
    """Set the aliases that differ, drop one that has nothing to point at."""
    name = registered_name(family)
    models = client.search_registered_models(f"name = '{name}' AND tags.`mlflow.prompt.is_prompt` = 'true'")
    held = {alias: int(version) for model in models for alias, version in model.aliases.items()}
    for alias in (CHAMPION, CHALLENGER):
        if alias in wanted and held.get(alias) != wanted[alias]:
            client.set_prompt_alias(name, alias, wanted[alias])
        elif alias in held and alias not in wanted:
            client.delete_prompt_alias(name, alias)


def _read(name: str, data: bytes) -> PromptFile:
    family, _, rest = name.partition(".")
    try:
        text = data.decode("utf-8")
        version = str(json.loads(text)["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadPrompt(
            f"Expected a version in the prompt {name}, got {type(error).__name__}: {error}."
        ) from None
    if rest not in ("", CHALLENGER):
        raise BadPrompt(f"Expected <family>.json or <family>.challenger.json, got the prompt {name}.json.")
    return PromptFile(family, rest or CHAMPION, version, sha256(data).hexdigest()[:8], text)
