"""A process of its own that forks many children at once and lets them ask for a token; driven by lines on stdin.

Forking from one that has imported everything makes 64 real processes in a second, and the simulator's threads stay out
of it. `test_oauth_many_processes` starts it: ``python oauth_nursery.py PROCESSES``; the settings come as HRV_…
"""

from __future__ import annotations

import json
import os
import sys

from hrv_shared.errors import HrvError
from hrv_shared.settings import load_settings
from whoop_api_client.connection import open_connection


def main(processes: int) -> None:
    children = []
    for _ in range(processes):
        to_child, from_child = os.pipe(), os.pipe()
        if os.fork() == 0:
            os.close(to_child[1])
            live(os.fdopen(to_child[0]), os.fdopen(from_child[1], "w"))
            os._exit(0)
        os.close(to_child[0])
        os.close(from_child[1])
        children.append((os.fdopen(to_child[1], "w"), os.fdopen(from_child[0])))
    print("ready", flush=True)
    for _ in sys.stdin:
        for child, _ in children:
            child.write("go\n")
            child.flush()
        print(json.dumps([answer.readline().strip() for _, answer in children]), flush=True)


def live(orders, answers) -> None:
    """Ask at every order; the answer is a token's digest, or the error's name."""
    import hashlib

    tokens = open_connection(load_settings(), sleep=lambda s: None)
    for _ in orders:
        try:
            answer = hashlib.sha256(tokens.access_token().encode()).hexdigest()
        except HrvError as error:
            answer = error.code
        answers.write(answer + "\n")
        answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
