"""Settings: one frozen object from environment variables (``HRV_…``) and ``<HRV_HOME>/hrv.toml``.

Unknown keys are refused in both places, because a mistyped setting that is silently ignored is worse than none.
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_cache_path, user_config_path, user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from hrv_shared.constants import MEMBER_ID_FORM
from hrv_shared.errors import ConfigurationError

__all__ = ["Settings", "load_settings"]

PREFIX = "HRV_"
NOT_SETTINGS = frozenset({"HRV_SLOW", "HRV_REAL_LLM", "HRV_ISSUE"})
"""Switches of the test suite, read by the tests alone; and the issue that a run was started for (see `issue`)."""


class Settings(BaseSettings):
    """Everything that a user may choose. Paths are absolute after loading."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", validate_default=True)

    home: Path = Field(default_factory=lambda: user_data_path("hrv"), description="the store")
    config_dir: Path = Field(
        default_factory=lambda: user_config_path("hrv"), description="tokens without a keyring"
    )
    cache_dir: Path = Field(default_factory=lambda: user_cache_path("hrv"), description="model weights")
    member_id: Annotated[str, Field(pattern=f"^{MEMBER_ID_FORM}$")] = "me"

    whoop_client_id: str | None = None
    whoop_client_secret: SecretStr | None = None
    whoop_api_base: str = "https://api.prod.whoop.com/developer"
    whoop_auth_base: str = "https://api.prod.whoop.com/oauth/oauth2"
    whoop_redirect_uri: str = "http://localhost:8721/callback"
    whoop_budget: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="count requests across processes; auto: not at a simulator on this machine",
    )
    whoop_webhook_host: (
        Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")] | None
    ) = Field(
        default=None, description="public name of the tunnel that brings WHOOP's webhooks; None: no webhooks"
    )
    token_store: Literal["auto", "keyring", "file"] = "auto"
    token_passphrase: SecretStr | None = None

    asr_model: str = "whisper-base"
    asr_model_path: Path | None = None
    asr_language: Annotated[str, Field(pattern=r"^(auto|[a-z]{2,3})$")] = Field(
        default="auto",
        description="language of spoken notes (en, de, …); auto: English unless it sounds like another",
    )
    journal_auto_accept: bool = Field(
        default=True, description="facts that were plainly read count before they are confirmed"
    )
    journal_inbox: Path | None = Field(
        default=None,
        description="folder into which a phone syncs memos, left as it is; None: the store's inbox",
    )
    journal_keep_audio: bool = Field(
        default=False, description="keep recordings after their note is confirmed"
    )
    notify_urls: SecretStr | None = Field(
        default=None, description="whom to tell of the morning's forecast: apprise addresses, parted by blanks"
    )
    notify_numbers: bool = Field(default=False, description="numbers in notifications: they lie on locked screens")
    notify_quiet: str = Field(default="22:00-07:00", description="local hours in which nothing is sent")
    llm_backend: Literal["embedded", "openai", "anthropic", "none"] = "embedded"
    llm_model: str = "mpnet-base-v2"
    llm_model_path: Path | None = None
    llm_base_url: str | None = None
    llm_api_key: SecretStr | None = None
    llm_allow_remote: bool = False
    agent_samples: Annotated[int, Field(ge=1, le=8)] = Field(
        default=5, description="answers drawn from the language model for one forecast; their disagreement widens it"
    )
    agent_style: Literal["auto", "choice", "free"] = Field(
        default="auto",
        description="choice: a model picks among checked options (small ones); free: it writes within a schema; "
        "auto: the default reads sentences without a prompt, others by their size",
    )
    allow_download: bool = True

    evening_hour: Annotated[float, Field(ge=18, lt=28)] = Field(
        default=22.0,
        description="local hour of the evening forecast if no note was told before; 25 is one at night",
    )
    all_members: bool = Field(
        default=False, description="forecasts for everybody in the record, not member_id alone"
    )

    threads: Annotated[int, Field(ge=1, le=64)] = 2
    seed: int = 0
    replay_nights: Annotated[int, Field(ge=1, le=3650)] = 45

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment; the file's keys come in as arguments of lower rank."""
        return (sources["init_settings"],)


def load_settings(environ: dict[str, str] | None = None, **overrides: Any) -> Settings:
    """Read settings: ``overrides`` over environment over ``<home>/hrv.toml`` over defaults.

    Raises
    ------
    ConfigurationError
        An unknown key, a value of the wrong form, or a store that Git could commit.
    """
    env = dict(os.environ if environ is None else environ)
    values = _from_environment(env)
    home = Path(overrides.get("home") or values.get("home") or user_data_path("hrv"))
    merged = {**_from_file(home / "hrv.toml"), **values, **overrides}
    try:
        settings = Settings(**merged)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"The setting {where!r} is not usable: {first['msg']}. Set {PREFIX}{where.upper()} or mend "
            f"{home / 'hrv.toml'}; known settings: {', '.join(sorted(Settings.model_fields))}."
        ) from None
    paths = {
        n: p.expanduser().absolute()
        for n in ("home", "config_dir", "cache_dir", "journal_inbox")
        if (p := getattr(settings, n))
    }
    settings = settings.model_copy(update=paths)
    for path in (settings.home, settings.config_dir):
        _refuse_committable(path)
    return settings


def _from_environment(env: dict[str, str]) -> dict[str, str]:
    values = {}
    for name, value in env.items():
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        key = name.removeprefix(PREFIX).lower()
        if key not in Settings.model_fields:
            known = ", ".join(PREFIX + field.upper() for field in sorted(Settings.model_fields))
            raise ConfigurationError(
                f"The environment variable {name} is not a setting. Known ones: {known}."
            )
        if value != "":
            values[key] = value
    return values


def _from_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML ({error}). Mend or remove it.") from None


def _refuse_committable(path: Path) -> None:
    """Refuse a folder that lies in a Git work tree and that Git would not ignore."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    if not any((parent / ".git").exists() for parent in (existing, *existing.parents)):
        return
    probe = (
        path / "reports" / "any"
    )  # a name that only a rule for the whole folder covers, not one for databases
    ignored = subprocess.run(
        ["git", "check-ignore", "-q", str(probe)], cwd=existing, capture_output=True, check=False, timeout=10
    )
    if ignored.returncode == 1:
        raise ConfigurationError(
            f"{path} lies in a Git checkout that would commit it; health data must not get there. "
            f"Set {PREFIX}HOME to a folder outside, or leave it unset."
        )
