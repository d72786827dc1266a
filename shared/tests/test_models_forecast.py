"""The forecasting network: one file out of its authors' wheel, with sentences that name the right command."""

from __future__ import annotations

import zipfile

import pytest

from hrv_shared.models import ModelAbsent, ModelTampered, fetch, resolve
from hrv_shared.models.assemble import InstalledPackages, WheelFolder, assemble_model
from hrv_shared.models.manifest import manifest_of

NOTHING_INSTALLED = InstalledPackages([])


def test_its_absence_names_the_command_and_no_setting_that_does_not_exist(tmp_path):
    with pytest.raises(ModelAbsent, match=r"hrv models fetch forecast` \(457 kB to download") as refusal:
        resolve("fracast-0", cache_dir=tmp_path, installed=NOTHING_INSTALLED)
    assert "MODEL_PATH" not in str(refusal.value)


def test_other_weights_under_the_same_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "fracast-0.1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("fracast/weights/model.safetensors", b"x" * 344_412)
    source = WheelFolder(tmp_path)
    manifest = manifest_of("forecast")
    assert source.missing(manifest) == []
    with pytest.raises(ModelTampered, match="do not join to the pinned model.safetensors"):
        assemble_model(manifest, source, tmp_path / "target")


def test_a_path_of_the_users_own_cannot_stand_for_it(tmp_path):
    own = tmp_path / "own.bin"
    own.write_bytes(b"anything")
    with pytest.raises(ModelAbsent, match="can't stand for fracast-0"):
        resolve("fracast-0", cache_dir=tmp_path, configured_path=own)


@pytest.mark.slow
def test_it_comes_from_the_registry(tmp_path):
    found = fetch("forecast", cache_dir=tmp_path, installed=NOTHING_INSTALLED)
    assert (found.source, found.path.name) == ("download:registry", "model.safetensors")
    assert resolve("fracast-0", cache_dir=tmp_path, installed=NOTHING_INSTALLED).source == "cache"
