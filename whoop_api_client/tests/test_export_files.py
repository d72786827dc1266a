"""Headers in five languages, cells, rows: what is read, and what is refused with which sentence."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest

from whoop_api_client.export import headers
from whoop_api_client.export.errors import DamagedExport
from whoop_api_client.export.headers import fold, read_header
from whoop_api_client.export.rows import parse

CYCLES_E2 = (
    "Cycle start time,Cycle end time,Cycle timezone,Recovery score %,Resting heart rate (bpm),"
    "Heart rate variability (ms),Skin temp (celsius),Blood oxygen %,Day Strain,Energy burned (cal),"
    "Max HR (bpm),Average HR (bpm),Sleep onset,Wake onset,Sleep performance %,Respiratory rate (rpm),"
    "Asleep duration (min),In bed duration (min),Light sleep duration (min),Deep (SWS) duration (min),"
    "REM duration (min),Awake duration (min),Sleep need (min),Sleep debt (min),Sleep efficiency %,"
    "Sleep consistency %"
)
CYCLES_E1 = CYCLES_E2.removesuffix(",Sleep consistency %")
CLOSED = (
    "2024-11-20 00:40:13,2024-11-21 03:10:47,UTC-05:00,72,55,65,34.17,96.12,6.7,2127,152,70,2024-11-20 00:40:13,"
    "2024-11-20 09:08:45,74,17.5,452,508,220,94,138,56,608,127,89,59"
)
SLEEPS_DE = (
    "Startzeit des Zyklus,Endzeit des Zyklus,Zeitzone des Zyklus,Beginn des Schlafs,"
    "Beginn des Aufwachens,Schlafleistung %,Atemfrequenz (Atemzüge/Min.),Schlafdauer (Min.),"
    "Dauer im Bett (Min.),Dauer des Leichtschlafs (Min.),Dauer des Tiefschlafs (Min.),"
    "Dauer des REM-Schlafs (Min.),Dauer des Aufwachens (Min.),Schlafbedarf (Min.),Schlafdefizit (Min.),"
    "Schlafeffizienz %,Schlafbeständigkeit %,Nickerchen"
)
WORKOUTS_PT = (
    "Hora de início do ciclo,Hora de fim do ciclo,Fuso horário do ciclo,Hora de início do treino,"
    "Hora de fim do treino,Duração (min),Nome da atividade,Esforço da atividade,Energia queimada (cal),"
    "FC máx. (bpm),FC média (bpm),Zona 1 de FC %,Zona 2 de FC %,Zona 3 de FC %,Zona 4 de FC %,"
    "Zona 5 de FC %,GPS ativado"
)
JOURNAL_ES = (
    "Hora de inicio del ciclo,Hora de finalización del ciclo,Zona horaria del ciclo,Texto de la pregunta,"
    '"Respondió ""Sí""",Notas'
)
CYCLES_FR = (
    "heure de debut du cycle,heure de fin du cycle,fuseau horaire du cycle,score de recuperation %,"
    "frequence cardiaque au repos (bpm),variabilite de la frequence cardiaque (ms),"
    "temperature cutanee (celsius),niveau d'oxygene %,effort du jour,depense energetique (cal),"
    "FC max (bpm),FC moyenne (bpm),premiers signes de sommeil,premiers signes de reveil,"
    "performance sommeil %,frequence respiratoire (tr/min),duree du sommeil (min),"
    "temps passe au lit (min),duree du sommeil leger (min),duree du sommeil profond (min),"
    "duree du sommeil paradoxal (min),temps d'eveil (min),besoins en sommeil (min),"
    "dette de sommeil (min),efficacite du sommeil %,regularite du sommeil %"
)


def read(text: str, name: str = "file.csv"):
    return parse(name, text.encode())


@pytest.mark.parametrize(
    ("header", "kind", "language", "count"),
    [
        (CYCLES_E2, "cycles", "English", 26),
        (CYCLES_E1, "cycles", "English", 25),
        (SLEEPS_DE, "sleeps", "German", 18),
        (WORKOUTS_PT, "workouts", "Portuguese", 17),
        (CYCLES_FR, "cycles", "French", 26),
    ],
)
def test_the_header_tells_kind_and_language(header: str, kind: str, language: str, count: int) -> None:
    found = read_header(header.split(","), "anything.csv")
    assert (found.kind, found.language, len(found.columns)) == (kind, language, count)
    assert set(found.columns) <= {c.replace("{n}", n) for c in headers._table()["columns"] for n in "12345"}


def test_a_quoted_spanish_header_and_a_note_with_everything_in_it() -> None:
    row = '2024-05-14 23:12:40,,UTC+02:00,¿Consumiste cafeína?,true,"dos, ""tres""\ny más"'
    parsed = read(f"{JOURNAL_ES}\n{row}\n")
    assert (parsed.header.kind, parsed.header.language, parsed.errors) == ("journal", "Spanish", [])
    assert parsed.rows[0].raw["Notes"] == 'dos, "tres"\ny más'
    assert parsed.rows[0].raw["Question text"] == "¿Consumiste cafeína?"


def test_a_shifted_note_is_not_repeated_in_the_message() -> None:
    good = "2024-05-14 23:12:40,,UTC+02:00,¿Consumiste cafeína?,true,"
    bad = "2024-05-15 23:12:40,,UTC+02:00,¿Consumiste cafeína?,cried all night,"
    parsed = read(f"{JOURNAL_ES}\n{good}\n{bad}\n")
    assert parsed.errors[0].message == "Answered yes: expected true or false, got a text of 15 characters"


JOURNAL_FR = (
    "Heure de début du cycle,Heure de fin du cycle,Fuseau horaire du cycle,"
    "Texte de la question,A répondu oui,Remarques"
)


def test_a_journal_whose_words_nobody_has_seen_is_read_by_place_and_said() -> None:
    parsed = read(f"{JOURNAL_FR}\n2024-05-14 23:12:40,,UTC+02:00,Avez-vous bu de l'alcool ?,true,\n")
    assert (parsed.header.kind, parsed.header.language, len(parsed.rows)) == ("journal", "French", 1)
    assert parsed.rows[0].raw["Question text"] == "Avez-vous bu de l'alcool ?"
    assert "by their place" in parsed.notes[0]
    assert read(f"{JOURNAL_FR}\n2024-05-14 23:12:40,,UTC+02:00,12,13,14\n") is None


def test_accents_blanks_and_apostrophes_do_not_matter() -> None:
    folded = fold("Niveau d\u2019oxyg\u00e8ne\u00a0%")
    assert folded == fold("niveau d'oxygene %") == "niveau_d_oxygene_pct"
    assert fold(unicodedata.normalize("NFD", "Início do sono")) == fold("Início do sono")


def test_no_folded_name_means_two_columns() -> None:
    meanings: dict[str, set[str]] = {}
    for english, translations in headers._table()["columns"].items():
        for name in (english, *translations.values()):
            meanings.setdefault(fold(name), set()).add(english)
    assert {name: columns for name, columns in meanings.items() if len(columns) > 1} == {}


def test_another_csv_is_not_ours() -> None:
    assert read("date,steps\n2024-01-01,7\n") is None
    assert read("") is None


def test_instants_are_utc_by_the_rows_own_offset() -> None:
    row = read(f"{CYCLES_E2}\n{CLOSED}\n").rows[0]
    assert row.cycle_start_at == datetime(2024, 11, 20, 5, 40, 13, tzinfo=UTC)
    assert row.end_at == datetime(2024, 11, 20, 14, 8, 45, tzinfo=UTC)
    row = read(f"{CYCLES_E2}\n{CLOSED.replace('UTC-05:00', 'UTCZ')}\n").rows[0]
    assert row.cycle_start_at == datetime(2024, 11, 20, 0, 40, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",65,", ",sixty,", "Heart rate variability (ms): expected a number such as 72 or 33.9, got 'sixty'"),
        (",65,", ",6500,", "expected a value from 0 to 1000, got '6500'"),
        (",72,", ",720,", "Recovery score %: expected a value from 0 to 100"),
        ("UTC-05:00", "UTC-25:00", "Cycle timezone: expected an offset between"),
        ("UTC-05:00", "Berlin", "Cycle timezone: expected an offset such as"),
        ("UTC-05:00", "", "Cycle timezone: expected an offset such as UTC-05:00 or UTCZ, got nothing"),
        ("2024-11-20 00:40:13,2024-11-21", "2024-13-20 00:40:13,2024-11-21", "there is no such time"),
        (
            "2024-11-20 00:40:13,2024-11-21",
            "yesterday,2024-11-21",
            "expected YYYY-MM-DD HH:MM:SS, got 'yesterday'",
        ),
        ("2024-11-21 03:10:47", "2024-11-19 03:10:47", "cycle: expected an end after the start"),
        ("2024-11-21 03:10:47", "2025-11-21 03:10:47", "it lasts 8787 hours"),
        (",2024-11-20 09:08:45", ",", "Sleep onset, Wake onset: expected both times, got one"),
        (",59", "", "expected 26 cells, got 25"),
    ],
)
def test_a_bad_row_is_an_error_value_and_the_others_survive(old: str, new: str, message: str) -> None:
    good = CLOSED.replace("2024-11-20", "2024-10-20").replace("2024-11-21", "2024-10-21")
    parsed = read(f"{CYCLES_E2}\n{good}\n{CLOSED.replace(old, new)}\n\n")
    assert len(parsed.rows) == 1
    assert [(error.file, error.line) for error in parsed.errors] == [("file.csv", 3)]
    assert message in parsed.errors[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{CYCLES_E2}\n{CLOSED}\n".replace(",", ";"), "got semicolons"),
        (f"{CYCLES_E2}\n{CLOSED}\n".replace(",", "\t"), "got tabs"),
        (f"{CYCLES_E2}\n{CLOSED.replace('2024-11-20 00:40:13', '11/20/2024 0:40')}\n", "got '11/20/2024 0:40'"),
        (f"{SLEEPS_DE}\n2024-05-14 23:12:40,,UTCZ,2024-05-14 23:12:40,2024-05-15 07:01:12,84,15.2,431,468,214,101,"
         "116,37,512,41,92,78,FALSE\n", "got FALSE"),
        (f"{CYCLES_E2}\n{CLOSED.replace('UTC-05:00', 'EST')}\n", "none of its 1 rows can be read"),
        (f"{CYCLES_E2},HRV\n{CLOSED}\n".replace("Day Strain,", ""), "Day Strain is missing"),
        (f"{CYCLES_E2},Day strain\n{CLOSED},1\n", "Day Strain comes twice"),
        (f'{CYCLES_E2}\n"{CLOSED}\n', "may be cut off"),
    ],
)  # fmt: skip
def test_what_another_program_rewrote_is_refused(text: str, message: str) -> None:
    with pytest.raises(DamagedExport, match="file.csv") as refusal:
        read(text)
    assert message in str(refusal.value)


def test_another_encoding_is_refused() -> None:
    with pytest.raises(DamagedExport, match="expected UTF-8"):
        parse("Schlaf.csv", SLEEPS_DE.encode("utf-16"))


def test_bom_and_crlf_are_read_and_noted() -> None:
    text = f"{CYCLES_E2}\r\n{CLOSED.replace(',72,', ',72.0,')}\r\n"
    parsed = parse("c.csv", b"\xef\xbb\xbf" + text.encode())
    assert (len(parsed.rows), parsed.errors) == (1, [])
    assert "saved again" in parsed.notes[0]
