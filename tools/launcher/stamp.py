"""Which environments there are, and whether each is what its lock and projects ask for.

Every `./hrv` call comes through here, so this file imports nothing that is slow to load.
"""

import hashlib
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
ROOMS = (
    "shared",
    "whoop_api_client",
    "journal_analysis",
    "model_training",
    "data_intelligence",
    "llm_agent",
    "orchestrator",
    "dashboard",
)
STAMP = ".hrv-stamp"


class Environment:
    """One virtual environment: its folder, the lock it is filled from, and the rooms installed editable in it."""

    def __init__(self, name, folder, lock, rooms):
        self.name = name
        self.folder = os.path.join(ROOT, folder)
        self.lock = os.path.join(ROOT, lock)
        self.rooms = rooms

    @property
    def python(self):
        return os.path.join(self.folder, "bin", "python")

    @property
    def stamp(self):
        return os.path.join(self.folder, STAMP)


def together():
    """The everyday environment: all rooms in one `.venv`."""
    return Environment("all rooms", ".venv", "requirements.lock", ROOMS)


def isolated(room):
    """The environment of one room: its own lock, itself, and `shared` beside it."""
    rooms = ("shared",) if room == "shared" else ("shared", room)
    return Environment(room, os.path.join(room, ".venv"), os.path.join(room, "requirements.lock"), rooms)


def stale():
    """Environments that must be made or brought up to date before a command can run.

    Isolated ones count only where they exist. Where a complete set of them exists, `.venv` is not needed.
    """
    found = [env for env in map(isolated, ROOMS) if os.path.isdir(env.folder)]
    needed = list(found)
    if len(found) < len(ROOMS) or os.path.isdir(together().folder):
        needed.insert(0, together())
    return [env for env in needed if not is_fresh(env)]


def interpreter():
    """The Python that runs the `hrv` command."""
    env = together()
    return env.python if is_fresh(env) else isolated("orchestrator").python


def is_fresh(env):
    """Tell whether the environment was finished from exactly the present lock, projects, Python and place."""
    try:
        return _read(env)[0] == fingerprint(env)
    except FileNotFoundError:
        return False


def made_in(env):
    """Return the folder that a finished environment was made in, None where it holds no stamp."""
    try:
        return _read(env)[1]
    except FileNotFoundError:
        return None


def write(env):
    """Mark the environment as finished."""
    with open(env.stamp + ".new", "w", encoding="utf-8") as file:
        file.write(fingerprint(env) + "\n" + env.folder + "\n")
    os.replace(env.stamp + ".new", env.stamp)


def fingerprint(env):
    """Digest of all that an environment depends on.

    The place is part of it because scripts and editable installs hold absolute paths; the resolved interpreter,
    because an upgrade of the system's Python leaves an environment whose packages it does not see.
    """
    digest = hashlib.sha256()
    for path in inputs(env):
        with open(path, "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    for place in (env.folder, os.path.realpath(env.python)):
        digest.update(place.encode() + b"\0")
    return digest.hexdigest()


def inputs(env):
    """Return the files that say what belongs in the environment."""
    return [env.lock, *(os.path.join(ROOT, room, "pyproject.toml") for room in env.rooms)]


def _read(env):
    with open(env.stamp, encoding="utf-8") as file:
        return file.read().split("\n")
