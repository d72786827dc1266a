"""Folders and ZIPs: what is taken out of them, and what a hostile one gets."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest

from whoop_api_client.export.archive import Limits, csv_files
from whoop_api_client.export.errors import NotAnExport, UnsafeArchive


def make_zip(path: Path, entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def test_csv_files_of_a_zip_in_any_folder_and_nothing_else(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "my_whoop_data.zip", {
        "my_whoop_data/sleeps.csv": b"a", "physiological_cycles.CSV": b"b", "readme.txt": b"no",
        "__MACOSX/._sleeps.csv": b"no",
    })  # fmt: skip
    ignored: list[str] = []
    assert dict(csv_files(path, ignored=ignored)) == {
        "my_whoop_data/sleeps.csv": b"a",
        "physiological_cycles.CSV": b"b",
    }
    assert sorted(ignored) == ["__MACOSX/._sleeps.csv", "readme.txt"]


def test_a_folder_and_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Schlaf.csv").write_bytes(b"s")
    (tmp_path / ".hidden.csv").write_bytes(b"h")
    (tmp_path / "notes.txt").write_bytes(b"n")
    assert dict(csv_files(tmp_path)) == {"in/Schlaf.csv": b"s"}
    assert dict(csv_files(tmp_path / "in" / "Schlaf.csv")) == {"Schlaf.csv": b"s"}


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_bytes(b"secret")
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "sleeps.csv").symlink_to(tmp_path / "secret.csv")
    ignored: list[str] = []
    assert dict(csv_files(folder, ignored=ignored)) == {}
    assert ignored == ["sleeps.csv"]


@pytest.mark.parametrize(
    "name", ["../sleeps.csv", "/etc/sleeps.csv", "a/../../b.csv", "..\\sleeps.csv", "C:/x.csv"]
)
def test_names_that_leave_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    path = make_zip(tmp_path / "x.zip", {"sleeps.csv": b"a", name: b"b"})
    with pytest.raises(UnsafeArchive, match="points outside"):
        list(csv_files(path))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("sleeps.csv", "sleeps.csv"), ("a/Sleeps.csv", "a\\sleeps.CSV")])
def test_two_entries_of_one_name_are_refused(tmp_path: Path, names: tuple[str, str]) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"a")
    with pytest.raises(UnsafeArchive, match="the same name"):
        list(csv_files(tmp_path / "x.zip"))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_whoop_does_not_use_is_refused(tmp_path: Path, method: int) -> None:
    path = make_zip(tmp_path / "x.zip", {"sleeps.csv": b"a"}, method)
    with pytest.raises(UnsafeArchive, match="packed in a way"):
        list(csv_files(path))


def test_a_zip_in_a_zip_is_not_unpacked(tmp_path: Path) -> None:
    inner = make_zip(tmp_path / "inner.zip", {"sleeps.csv": b"0" * 30_000_000})
    path = make_zip(tmp_path / "x.zip", {"inner.zip": inner.read_bytes(), "sleeps.csv": b"a"})
    ignored: list[str] = []
    assert dict(csv_files(path, ignored=ignored)) == {"sleeps.csv": b"a"}
    assert ignored == ["inner.zip"]


def test_many_small_files_are_too_many_bytes_in_all(tmp_path: Path) -> None:
    limits = Limits(total=10_000)
    path = make_zip(
        tmp_path / "x.zip", {f"{n}.csv": bytes(range(250)) * 4 for n in range(11)}, zipfile.ZIP_STORED
    )
    with pytest.raises(UnsafeArchive, match="unpacked"):
        list(csv_files(path, limits))
    folder = tmp_path / "folder"
    folder.mkdir()
    for n in range(11):
        (folder / f"{n}.csv").write_bytes(bytes(1000))
    with pytest.raises(UnsafeArchive, match="at most"):
        list(csv_files(folder, limits))


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    folder.mkdir()
    os.mkfifo(folder / "sleeps.csv")
    ignored: list[str] = []
    assert list(csv_files(folder, ignored=ignored)) == [] and ignored == ["sleeps.csv"]
    with pytest.raises(NotAnExport, match="another file"):
        list(csv_files(folder / "sleeps.csv"))


def test_a_linked_folder_inside_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "sleeps.csv").write_bytes(b"secret")
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "in").symlink_to(tmp_path / "secret")
    assert list(csv_files(tmp_path / "export")) == []


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    link = zipfile.ZipInfo("sleeps.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnsafeArchive, match="a link"):
        list(csv_files(path))


def test_bombs_are_refused(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"sleeps.csv": b"0" * 3_000_000})
    with pytest.raises(UnsafeArchive, match="200 times"):
        list(csv_files(path))
    with pytest.raises(UnsafeArchive, match="larger than"):
        list(csv_files(path, Limits(entry=1_500_000, ratio=10**6)))
    with pytest.raises(UnsafeArchive, match="unpacked"):
        list(csv_files(path, Limits(total=1_000_000)))
    with pytest.raises(UnsafeArchive, match="handful"):
        list(csv_files(path, Limits(entries=0)))


def test_a_lying_size_in_the_directory_does_not_help_a_bomb(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"sleeps.csv": b"0" * 3_000_000})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UnsafeArchive):
        list(csv_files(path))


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"sleeps.csv": bytes(range(256)) * 200}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[2000] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(UnsafeArchive, match="Download the export again"):
        list(csv_files(path))


def test_an_encrypted_zip_is_named(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "x.zip", {"sleeps.csv": b"abc"})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UnsafeArchive, match="encrypted"):
        list(csv_files(path))


def test_what_is_no_export_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotAnExport, match="nothing is there"):
        list(csv_files(tmp_path / "absent.zip"))
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(NotAnExport, match="got another file"):
        list(csv_files(tmp_path / "a.zip"))
    with pytest.raises(UnsafeArchive, match="expected at most"):
        (tmp_path / "big.csv").write_bytes(b"0" * 100)
        list(csv_files(tmp_path / "big.csv", Limits(entry=10)))
