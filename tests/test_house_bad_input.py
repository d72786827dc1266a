"""Bad input gets a sentence: what was expected, what came, what to do. Exit code not 0; with ``--json`` one object."""

from __future__ import annotations

import importlib
import json
import re
import sys
import wave
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import typer

from house_export import write_export
from house_rooms import make_house
from hrv_shared.cli import json_default, run

APPS = {
    "hrv_shared": "hrv_shared.commands", "whoop_api_client": "whoop_api_client.cli",
    "journal_analysis": "journal_analysis.cli", "model_training": "model_training.cli",
    "data_intelligence": "data_intelligence.cli", "llm_agent": "llm_agent.cli", "dashboard": "dashboard.cli",
    "orchestrator": "orchestrator.commands",
}  # fmt: skip
LAST_DAY = date(2026, 3, 20)

# room, its command, a word that the sentence must hold; {…} are the files of `inputs`
CASES = [
    ("whoop_api_client", "import {nowhere}", "{nowhere}"),
    ("whoop_api_client", "import {empty_folder}", "physiological_cycles.csv"),
    ("whoop_api_client", "import {wrong_csv}", "physiological_cycles.csv"),
    ("whoop_api_client", "import {photo}", "photo.jpg"),
    ("whoop_api_client", "import {broken_zip}", "broken.zip"),
    ("whoop_api_client", "import {zip_of_nothing}", "physiological_cycles.csv"),
    ("whoop_api_client", "import {spreadsheet}", "spreadsheet"),
    ("whoop_api_client", "import", "PATH"),
    ("whoop_api_client", "pull", "hrv connect"),
    ("whoop_api_client", "pull --day 31.12.2025", "31.12.2025"),
    ("whoop_api_client", "pull --member ../../etc", "member"),
    ("whoop_api_client", "connect --secrets-file {nowhere}", "{nowhere}"),
    ("whoop_api_client", "connect --auto", "CLIENT_ID"),
    ("whoop_api_client", "gaps --since soon", "soon"),
    ("whoop_api_client", "simulate --data {nowhere}", "nowhere"),
    ("whoop_api_client", "simulate --data {wrong_csv}", "wrong.csv"),
    ("whoop_api_client", "simulate --nights -3", "nights"),
    ("whoop_api_client", "simulate --now noon", "noon"),
    ("whoop_api_client", "simulate --port 99999999", "port"),
    ("journal_analysis", "add", "recording"),
    ("journal_analysis", "add {nowhere}", "{nowhere}"),
    ("journal_analysis", "add {garbage_audio}", "garbage.flac"),
    ("journal_analysis", "add {empty_audio}", "empty.wav"),
    ("journal_analysis", "add --text ''", "empty"),
    ("journal_analysis", "add --text Beer. --recorded-at yesterday", "yesterday"),
    ("journal_analysis", "add --text Beer. --recorded-at 2999-01-01T00:00:00Z", "2999"),
    ("journal_analysis", "backfill {nowhere}", "{nowhere}"),
    ("journal_analysis", "backfill {photo}", "photo.jpg"),
    ("journal_analysis", "confirm nothing-like-this", "nothing-like-this"),
    ("journal_analysis", "undo nothing-like-this", "nothing-like-this"),
    ("journal_analysis", "bench --data {nowhere}", "{nowhere}"),
    ("model_training", "train --member nobody", "nobody"),
    ("model_training", "forecast", "hrv pull"),
    ("model_training", "replay --slot noon", "noon"),
    ("model_training", "replay --nights 0", "nights"),
    ("model_training", "combine --member nobody", "nobody"),
    ("model_training", "explain --member nobody", "nobody"),
    ("model_training", "explain --slot noon", "noon"),
    ("model_training", "what-if", "--alcohol"),
    ("model_training", "what-if --alcohol 2", "forecast"),
    ("model_training", "what-if --set caffeine=lots", "caffeine=lots"),
    ("model_training", "what-if --bedtime late", "late"),
    ("model_training", "promote --member nobody", "nobody"),
    ("model_training", "promote --force", "--reason"),
    ("model_training", "rollback --member nobody", "nobody"),
    ("model_training", "rollback --reason why", "--force"),
    ("model_training", "bench forecast", "--data"),
    ("model_training", "bench forecast --data {nowhere}", "{nowhere}"),
    ("model_training", "bench forecast --data {photo}", "photo.jpg"),
    ("model_training", "bench forecast --data {other_table}", "hrv_rmssd_ms"),
    ("model_training", "bench forecast --synthetic 2", "synthetic"),
    ("model_training", "bench forecast --synthetic 6 --against everybody", "everybody"),
    ("model_training", "bench scale --members many", "many"),
    ("model_training", "bench scale --engine steam", "steam"),
    ("model_training", "fit-pool --data {nowhere}", "{nowhere}"),
    ("data_intelligence", "daily --member nobody", "nobody"),
    ("data_intelligence", "daily --slot noon", "noon"),
    ("data_intelligence", "daily --as-of yesterday", "yesterday"),
    ("data_intelligence", "weekly --as-of 2999-01-01", "2999"),
    ("data_intelligence", "card", "hrv import"),
    ("llm_agent", "forecast --member nobody", "nobody"),
    ("llm_agent", "show --last many", "integer"),
    ("hrv_shared", "models fetch asr", "HRV_ALLOW_DOWNLOAD"),
    ("hrv_shared", "ledger show --book dead", "dead"),
    ("hrv_shared", "scorecard --nights -1", "nights"),
    ("hrv_shared", "score --unheard-of", "unheard-of"),
    ("orchestrator", "demo --nights 5", "nights"),
    ("orchestrator", "demo --keep {full_folder}", "not a demo"),
    ("dashboard", "serve --port 99999999", "port"),
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("inputs")
    export = write_export(folder / "export", seed=1, nights=30, last_day=LAST_DAY)
    made = {name: folder / name for name in ("nowhere", "empty_folder", "full_folder", "spreadsheet")}
    for name in ("empty_folder", "full_folder", "spreadsheet"):
        made[name].mkdir()
    (made["full_folder"] / "thesis.txt").write_text("precious")
    # a spreadsheet program has rewritten every date in its own way
    sound = (export / "physiological_cycles.csv").read_text()
    damaged = re.sub(r"2026-0(\d)-(\d\d) (\d\d:\d\d):\d\d", r"\1/\2/2026 \3", sound)
    (made["spreadsheet"] / "physiological_cycles.csv").write_text(damaged)
    made["wrong_csv"] = folder / "wrong.csv"
    made["wrong_csv"].write_text("Date,Weight\n2026-01-01,80\n")
    made["photo"] = folder / "photo.jpg"
    made["photo"].write_bytes(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8)
    made["other_table"] = folder / "other_table.parquet"
    pl.DataFrame({"person": ["a"], "weight_kg": [80.0]}).write_parquet(made["other_table"])
    made["broken_zip"] = folder / "broken.zip"
    made["broken_zip"].write_bytes(b"PK\x03\x04" + b"\0" * 200)
    made["zip_of_nothing"] = folder / "nothing.zip"
    with zipfile.ZipFile(made["zip_of_nothing"], "w") as archive:
        archive.writestr("readme.txt", "hello")
    made["garbage_audio"] = folder / "garbage.flac"
    made["garbage_audio"].write_bytes(b"fLaC" + bytes(range(256)) * 40)
    made["empty_audio"] = folder / "empty.wav"
    with wave.open(str(made["empty_audio"]), "wb") as audio:
        audio.setparams((1, 2, 16_000, 0, "NONE", ""))
    return made


@pytest.fixture
def call(tmp_path, monkeypatch, capfd):
    """Run a room's command line in this process: (exit code, stdout, stderr)."""
    for name, value in make_house(tmp_path).environment.items():
        if name.startswith("HRV_"):
            monkeypatch.setenv(name, value)

    def calling(room: str, arguments: list[str]) -> tuple[int, str, str]:
        if arguments[:1] == ["bench"]:
            arguments = json_default(arguments)  # as its __main__ does: there --json may name a file
        monkeypatch.setattr(sys, "argv", [room, *arguments])
        app = importlib.import_module(APPS[room]).app
        with pytest.raises(SystemExit) as left:
            run(app)
        out, err = capfd.readouterr()
        return left.value.code, out, err

    return calling


@pytest.mark.parametrize(("room", "line", "word"), CASES, ids=lambda value: str(value)[:60])
def test_it_is_said_in_a_sentence(call, inputs, room, line, word):
    arguments = [inputs[a[1:-1]].as_posix() if a[0] == "{" else a.strip("'") for a in line.split(" ")]
    wanted = inputs[word[1:-1]].name if word[0] == "{" else word
    code, out, err = call(room, arguments)
    assert code not in (0, None) and out == ""
    assert "Traceback" not in err
    assert wanted.lower() in err.lower(), err
    code, out, err = call(room, [*arguments, "--json"])
    assert code not in (0, None)
    assert out.count("\n") == 1
    answer = json.loads(out)
    assert answer.keys() == {"error"} and answer["error"].keys() == {"code", "message"}
    assert wanted.lower() in answer["error"]["message"].lower()
    assert len(answer["error"]["message"].split()) >= 5, "a sentence"


@pytest.mark.parametrize("room", sorted(APPS))
def test_a_process_of_its_own_says_it_the_same_way(tmp_path, room):
    """Once a room through its own ``__main__``: an unknown setting stops every one of them."""
    house = make_house(tmp_path, HRV_MEMBR_ID="me")
    command = {
        "hrv_shared": ["score"], "whoop_api_client": ["status"], "journal_analysis": ["show"],
        "model_training": ["show"], "data_intelligence": ["card"], "llm_agent": ["show"], "dashboard": ["status"],
        "orchestrator": ["doctor"],
    }[room]  # fmt: skip
    told = house.run(room, *command, "--json")
    assert told.returncode != 0, told.stdout
    assert json.loads(told.stdout)["error"]["code"] == "ConfigurationError"
    assert "HRV_MEMBR_ID" in told.stdout and "HRV_MEMBER_ID" in told.stdout and "Traceback" not in told.stderr
    assert not house.home.exists(), "a store was made for somebody who was not asked for"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HRV_MEMBER_ID", "../../etc"), ("HRV_THREADS", "many"), ("HRV_LLM_BACKEND", "oracle"),
        ("HRV_REPLAY_NIGHTS", "0"), ("HRV_TOKEN_STORE", "pocket"), ("HRV_ALLOW_DOWNLOAD", "perhaps"),
    ],
)  # fmt: skip
def test_a_setting_that_is_not_usable_is_named(call, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    code, _, err = call("hrv_shared", ["settings"])
    assert code == 2 and name in err and "Traceback" not in err


def test_an_unknown_model_is_said_before_anything_is_asked_for(call, monkeypatch):
    monkeypatch.setenv("HRV_ALLOW_DOWNLOAD", "true")
    code, _, err = call("hrv_shared", ["models", "fetch", "no-such-model"])
    assert code == 2 and "no-such-model" in err and "Traceback" not in err


def test_a_settings_file_with_an_unknown_key_is_refused(call, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "hrv.toml").write_text("tempo = 3\n")
    code, _, err = call("hrv_shared", ["settings"])
    assert code == 2 and "tempo" in err and "hrv.toml" in err


def commands():
    """Every command of every room: room, words, its parameters."""
    for room, module in APPS.items():
        yield from _walk(room, typer.main.get_command(importlib.import_module(module).app), ())


def _walk(room, command, words):
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from _walk(room, below, (*words, name))
    else:
        yield room, words, command


@pytest.mark.parametrize(
    ("room", "words", "command"), list(commands()), ids=[" ".join((room, *words)) for room, words, _ in commands()]
)
def test_every_command_explains_itself_and_takes_json(call, room, words, command):
    assert "--json" in {option for parameter in command.params for option in parameter.opts}
    code, out, _ = call(room, [*words, "--help"])
    assert code == 0 and "--json" in out
    assert (command.help or "").strip(), "no help"


@pytest.mark.parametrize("verb", [["--help"], [], ["no-such-verb"], ["no-such-verb", "--json"]])
def test_hrv_itself(tmp_path, verb):
    told = make_house(tmp_path).run("orchestrator", *verb)
    if verb in (["--help"], []):
        assert told.returncode == 0 and "hrv" in told.stdout
    else:
        assert told.returncode == 2 and "Traceback" not in told.stderr
        assert "no-such-verb" in (json.loads(told.stdout)["error"]["message"] if "--json" in verb else told.stderr)


def test_a_record_that_is_none_is_left_alone(call, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "record.sqlite").write_bytes(b"this is not a database, " * 100)
    code, _, err = call("hrv_shared", ["score"])
    assert code == 2 and "record.sqlite" in err and "backup" in err
    assert (tmp_path / "home" / "record.sqlite").read_bytes().startswith(b"this is not")


def test_a_damaged_table_says_how_to_make_it_anew(call, tmp_path):
    (tmp_path / "home" / "tables").mkdir(parents=True)
    (tmp_path / "home" / "tables" / "days.parquet").write_bytes(b"PAR1 torn")
    code, _, err = call("hrv_shared", ["score"])
    assert code == 2 and "hrv rebuild" in err
    assert call("whoop_api_client", ["rebuild"])[0] == 0
    assert call("hrv_shared", ["score"])[0] == 0
