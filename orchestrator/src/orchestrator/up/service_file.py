"""A user service that runs `hrv up` from login on: a systemd unit on Linux, a launchd agent on macOS."""

from __future__ import annotations

import os
import plistlib
import sys
from dataclasses import dataclass
from pathlib import Path

from hrv_shared.settings import Settings
from orchestrator.errors import UpFailed
from orchestrator.rooms import CHECKOUT

__all__ = ["ServiceFile", "install", "launchd_agent", "service_path", "systemd_unit", "uninstall"]

LABEL = "org.hrv.up"
SECRET_VARIABLES = ("SECRET", "PASSPHRASE", "KEY", "TOKEN", "NOTIFY_URLS")


@dataclass(frozen=True)
class ServiceFile:
    """What was done, where, and how to go on."""

    path: Path
    changed: bool
    next_step: str

    def describe(self) -> dict[str, str | bool]:
        """As JSON values."""
        return {"path": str(self.path), "changed": self.changed, "next": self.next_step}


def install(settings: Settings, arguments: list[str]) -> ServiceFile:
    """Write the service; nothing is started.

    Parameters
    ----------
    arguments : list of str
        Of `hrv up`.

    Raises
    ------
    UpFailed
        The system has neither systemd nor launchd.
    """
    path = service_path()
    command = [sys.executable, "-P", "-m", "orchestrator", "up", *arguments]
    environment = service_environment(settings)
    text = (
        launchd_agent(command, environment)
        if sys.platform == "darwin"
        else systemd_unit(command, environment)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    changed = not path.exists() or path.read_bytes() != text
    if changed:
        path.write_bytes(text)
        path.chmod(0o600)
    if sys.platform == "darwin":
        return ServiceFile(path, changed, f"launchctl bootstrap gui/{os.getuid()} {path}")
    return ServiceFile(path, changed, "systemctl --user daemon-reload && systemctl --user enable --now hrv")


def uninstall() -> ServiceFile:
    """Remove the service; a running one goes on until it is stopped."""
    path = service_path()
    changed = path.exists()
    path.unlink(missing_ok=True)
    if sys.platform == "darwin":
        return ServiceFile(path, changed, f"launchctl bootout gui/{os.getuid()}/{LABEL}")
    return ServiceFile(path, changed, "systemctl --user disable --now hrv; systemctl --user daemon-reload")


def service_path() -> Path:
    """Where the service's file lies on this system."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    if sys.platform != "linux":
        raise UpFailed(
            f"Expected Linux (systemd) or macOS (launchd), found {sys.platform}. Run hrv up by hand."
        )
    return (
        Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        / "systemd"
        / "user"
        / "hrv.service"
    )


def service_environment(settings: Settings) -> dict[str, str]:
    """The settings that this shell gives by variables, so that the service has them too; secrets stay out of the file.

    They belong into the keyring or into ``hrv.toml``.
    """
    told = {
        name: value for name, value in os.environ.items()
        if name.startswith("HRV_") and value and not any(part in name for part in SECRET_VARIABLES)
    }  # fmt: skip
    return {**told, "HRV_HOME": str(settings.home)}


def systemd_unit(command: list[str], environment: dict[str, str]) -> bytes:
    """The unit; a stop ends the group's leader first, which ends the others in order."""
    told = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in sorted(environment.items())
    )
    return (
        "# written by `hrv up --install-service`; `hrv up --uninstall-service` removes it\n"
        "[Unit]\nDescription=hrv: the page and the scheduler\nAfter=network.target\n\n"
        f"[Service]\nType=exec\nWorkingDirectory={_quoted(str(CHECKOUT), quotes='')}\n"
        f"ExecStart={' '.join(_quoted(part, dollars=True) for part in command)}\n{told}"
        "Restart=on-failure\nRestartSec=30\nKillMode=mixed\nTimeoutStopSec=45\nUMask=0077\nNoNewPrivileges=yes\n\n"
        "[Install]\nWantedBy=default.target\n"
    ).encode()


def launchd_agent(command: list[str], environment: dict[str, str]) -> bytes:
    """The agent; started at login, again if it fails."""
    return plistlib.dumps({
        "Label": LABEL, "ProgramArguments": command, "EnvironmentVariables": dict(sorted(environment.items())),
        "WorkingDirectory": str(CHECKOUT), "RunAtLoad": True, "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30, "ExitTimeOut": 45, "ProcessType": "Background", "Umask": 0o077,
    })  # fmt: skip


def _quoted(text: str, *, quotes: str = '"', dollars: bool = False) -> str:
    """A value as systemd reads it back: percent signs and (in commands) dollars doubled, quotes escaped."""
    escaped = text.replace("%", "%%")
    if quotes:
        escaped = escaped.replace("\\", "\\\\").replace('"', '\\"')
    if dollars:
        escaped = escaped.replace("$", "$$")
    if "\n" in escaped:
        raise UpFailed(
            "Expected settings of one line each for a service file. Put longer ones into hrv.toml."
        )
    return f"{quotes}{escaped}{quotes}"
