"""The service's file: what systemd and launchd read back is what was meant, and no secret is in it."""

import plistlib
import shlex
import subprocess
import sys
from configparser import ConfigParser
from shutil import which

import pytest

from hrv_shared.settings import load_settings
from orchestrator.errors import UpFailed
from orchestrator.up import service_file

ODD = '/opt/a "b" 50% $HOME\\x'


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return load_settings({}, home=tmp_path / "store")


def read_unit(text):
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(text.decode())
    return unit


def as_systemd(value):
    """Quotes and doubled signs undone, as systemd.service(5) and systemd.syntax(7) say."""
    return [part.replace("%%", "%").replace("$$", "$") for part in shlex.split(value)]


def test_systemd_reads_back_the_command_and_the_settings():
    unit = read_unit(service_file.systemd_unit([ODD, "-m", "orchestrator", "up"], {"HRV_HOME": "/a b/50%"}))
    assert as_systemd(unit["Service"]["ExecStart"]) == [ODD, "-m", "orchestrator", "up"]
    assert as_systemd(unit["Service"]["Environment"]) == ["HRV_HOME=/a b/50%"]
    assert unit["Install"]["WantedBy"] == "default.target" and unit["Service"]["KillMode"] == "mixed"
    with pytest.raises(UpFailed, match="one line"):
        service_file.systemd_unit(["x"], {"HRV_HOME": "a\nExecStartPre=/bin/false"})


@pytest.mark.skipif(which("systemd-analyze") is None, reason="systemd-analyze is not installed here")
def test_systemd_itself_finds_nothing_wrong(tmp_path):
    file = tmp_path / "hrv.service"
    file.write_bytes(service_file.systemd_unit([sys.executable, "-m", "orchestrator"], {"HRV_HOME": "/a b"}))
    command, environment = ["systemd-analyze", "--user", "verify", file], {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "hrv.service" not in done.stderr, done.stderr


def test_launchd_reads_back_the_command_and_the_settings():
    agent = plistlib.loads(service_file.launchd_agent([ODD, "up"], {"HRV_HOME": "/a <b>"}))
    assert agent["ProgramArguments"] == [ODD, "up"] and agent["EnvironmentVariables"] == {
        "HRV_HOME": "/a <b>"
    }
    assert agent["Label"] == "org.hrv.up" and agent["RunAtLoad"] is True


@pytest.mark.parametrize(("system", "place"), [("linux", ".config/systemd/user/hrv.service"),
                                               ("darwin", "Library/LaunchAgents/org.hrv.up.plist")])  # fmt: skip
def test_it_is_written_once_and_removed_and_holds_no_secret(settings, tmp_path, monkeypatch, system, place):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv("HRV_MEMBER_ID", "somebody")
    monkeypatch.setenv("HRV_WHOOP_CLIENT_SECRET", "s3cret")
    monkeypatch.setenv("HRV_NOTIFY_URLS", "mailto://me:s3cret@example.org")
    first, again = (service_file.install(settings, ["--port", "8720"]) for _ in range(2))
    file = tmp_path / place
    assert (first.path, first.changed, again.changed) == (file, True, False)
    text = file.read_text()
    assert str(tmp_path / "store") in text and "somebody" in text and "s3cret" not in text
    assert file.stat().st_mode & 0o777 == 0o600
    assert service_file.uninstall().changed and not file.exists() and not service_file.uninstall().changed


def test_a_system_without_either_is_told_so(settings, monkeypatch):
    monkeypatch.setattr(sys, "platform", "freebsd14")
    with pytest.raises(UpFailed, match="by hand"):
        service_file.install(settings, [])
