"""The generated files fit the pyprojects, name no host, and hold one set of versions. No network is needed."""

import importlib.metadata
import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lock as generator

ROOM_NAMES = [room.name for room in generator.rooms()]
PIN = re.compile(r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))?(?: \\)?$")
OURS = {canonicalize_name(f"hrv-{name}") for name in ROOM_NAMES}


def test_there_are_eight_rooms():
    assert len(ROOM_NAMES) == 8


@pytest.mark.parametrize("room", ROOM_NAMES)
def test_room_lock_holds_exactly_what_the_room_asks_for(room):
    extras = ",".join(generator.extras(room))
    wanted = [f"{_project(room)['name']}[{extras}]", *generator.BUILD.split()]
    _check(generator.ROOT / room / "requirements.lock", wanted)


def test_root_lock_holds_exactly_what_all_rooms_ask_for():
    wanted = (generator.ROOT / "requirements-dev.in").read_text().split()
    for project in map(_project, ROOM_NAMES):
        chosen = [extra for extra in generator.HOUSE_EXTRAS if extra in project.get("optional-dependencies", {})]
        wanted.append(f"{project['name']}[{','.join(chosen)}]" if chosen else project["name"])
    _check(generator.ROOT / "requirements.lock", wanted)


@pytest.mark.parametrize("room", ROOM_NAMES)
def test_room_lock_has_the_versions_of_the_root_lock(room):
    versions = [
        {pin[:2] for pin in _pins(generator.ROOT / path)}
        for path in ("requirements.lock", f"{room}/requirements.lock")
    ]
    assert versions[1] - versions[0] == set()


@pytest.mark.parametrize("name", ["requirements.lock", *(f"{room}/requirements.lock" for room in ROOM_NAMES)])
def test_lock_has_hashes_and_names_no_host(name):
    text = (generator.ROOT / name).read_text()
    assert (
        "//" not in text
        and "#" not in text
        and not re.search(r"^\s*-(i|f|-index|-extra|-find)", text, re.MULTILINE)
    )
    packages = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert len(packages) > 40
    assert [part.split()[0] for part in packages if "--hash=sha256:" not in part] == []


@pytest.mark.parametrize("room", ROOM_NAMES)
def test_conda_environment_is_the_generated_one(room):
    path = generator.ROOT / room / "environment.yml"
    assert path.read_text() == generator.environment(path.parent), "run: python tools/lock.py --environments"
    read = yaml.safe_load(path.read_text())
    assert read["name"] == _project(room)["name"]
    assert read["dependencies"][-1] == {"pip": ["-r requirements.lock"]}


def _check(path, wanted):
    """Compare a lock with the closure of the requirements over the packages installed here."""
    here = {pin["name"]: pin["version"] for pin in _applying(path)}
    needed, unmet = _closure(wanted)
    assert unmet == [], "run: python tools/lock.py, then ./hrv setup"
    assert {name: here.get(name) for name in needed} == needed, "run: python tools/lock.py"
    # What this environment has no use for must not be locked, else a lock would only ever grow.
    assert sorted(set(here) - set(needed)) == [], "run: python tools/lock.py"


def _closure(wanted):
    """Follow requirements through what is installed: name → version, and the requirements that nothing meets."""
    needed, unmet, seen = {}, [], set()
    queue = [(Requirement(text), ("",)) for text in wanted]
    while queue:
        requirement, extras = queue.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not any(requirement.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        if (key := (name, frozenset(requirement.extras), str(requirement.specifier))) in seen:
            continue
        seen.add(key)
        if name in OURS:
            further = _own_requirements(name, requirement.extras)
        else:
            try:
                distribution = importlib.metadata.distribution(name)
            except importlib.metadata.PackageNotFoundError:
                unmet.append(str(requirement))
                continue
            if not requirement.specifier.contains(distribution.version, prereleases=True):
                unmet.append(f"{requirement} (installed: {distribution.version})")
            needed[name] = distribution.version
            further = distribution.requires or []
        queue += [(Requirement(text), ("", *requirement.extras)) for text in further]
    return needed, unmet


def _own_requirements(name, extras):
    """Read from the pyproject, because an editable install may be older than it."""
    project = next(
        project for room in ROOM_NAMES if canonicalize_name((project := _project(room))["name"]) == name
    )
    optional = project.get("optional-dependencies", {})
    return project["dependencies"] + [text for extra in extras for text in optional[extra]]


def _project(room):
    return tomllib.loads((generator.ROOT / room / "pyproject.toml").read_text())["project"]


def _applying(path):
    """Return the pins whose marker holds on this machine."""
    pins = ({"name": name, "version": version, "marker": marker} for name, version, marker in _pins(path))
    return [pin for pin in pins if not pin["marker"] or Requirement(f"x ; {pin['marker']}").marker.evaluate()]


def _pins(path):
    lines = (PIN.match(line) for line in path.read_text().splitlines() if line[:1].isalnum())
    return [(canonicalize_name(found["name"]), found["version"], found["marker"]) for found in lines]
