"""The gate: this machine only, reading only, nothing from elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from dashboard.errors import PortTaken, UnsafeFigure
from dashboard.figures import checked_svg, read_figures
from dashboard.gate import HEADERS
from dashboard.serving import LOOPBACK, is_serving, open_port

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">%s</svg>'


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost", "localhost:80", "localhost:8720.evil.example", "LOCALHOST:8720", "127.0.0.1",
     "127.0.0.2:8720", "[::1]:8720", "localhost:8720 ", ""],
)  # fmt: skip
def test_a_foreign_host_is_turned_away(visit, host):
    for path in ("/", "/api/today", "/static/page.css", "/nowhere"):
        answer = visit(path, headers={"host": host})
        assert answer.status_code == 421, path
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("host", ["localhost:8720", "127.0.0.1:8720"])
def test_our_own_host_is_let_in(visit, host):
    assert visit("/static/page.css", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_it_can_only_be_read(visit, method):
    for path in ("/", "/api/today", "/static/page.css"):
        answer = visit(path, method=method)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "path", ["/static/page.css", "/nowhere", "/docs", "/openapi.json", "/static/../page.py"]
)
def test_every_answer_carries_the_policy(visit, path):
    answer = visit(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe" not in HEADERS["content-security-policy"]
    assert "access-control-allow-origin" not in answer.headers
    assert answer.status_code == (200 if path == "/static/page.css" else 404)


@pytest.mark.parametrize(
    "inside",
    ["<script>1</script>",
     '<path onload="x()"/>', '<use xlink:href="https://x.example/a.svg#b"/>', "<style>a{}</style>",
     '<path style="fill:red"/>', "<foreignObject/>", '<rect fill="url(https://x.example/a)"/>', "<image/>",
     '<a xlink:href=" java\nscript:alert(1)"/>', "<!-- x -->", "<g>"],
)  # fmt: skip
def test_a_figure_is_nothing_but_a_drawing(inside):
    with pytest.raises(UnsafeFigure, match="more than a drawing"):
        checked_svg(SVG % inside, "x.svg")


def test_a_plain_drawing_is_let_through():
    text = SVG % '<defs><path id="a" d="M 0 0"/></defs><g clip-path="url(#c)"><use xlink:href="#a"/></g>'
    assert checked_svg(text, "x.svg") == text


def test_a_figure_is_not_read_from_outside_the_reports(tmp_path):
    (tmp_path / "secret.svg").write_text(SVG % "")
    (tmp_path / "daily").mkdir()
    for name in ("../secret.svg", "secret.svg", "/etc/passwd"):
        with pytest.raises(UnsafeFigure, match="name of a plot"):
            read_figures(tmp_path / "daily", (name,))


def test_a_taken_port_is_a_sentence():
    with open_port(0) as listener:
        port = listener.getsockname()[1]
        assert listener.getsockname()[0] == LOOPBACK
        assert is_serving(port)
        with pytest.raises(PortTaken, match="Choose another"):
            open_port(port)
    assert not is_serving(port)


def test_the_served_page_answers_and_its_logs_are_empty(reported):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")} | {"HRV_HOME": str(reported.home)}
    command = [sys.executable, "-m", "dashboard", "serve", "--port", "0", "--json"]
    server = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = json.loads(server.stdout.readline())["url"]
        assert re.fullmatch(r"http://localhost:\d+/", url)
        with urllib.request.urlopen(url.replace("localhost", LOOPBACK) + "api/today", timeout=30) as answer:
            assert json.load(answer)["forecaster"] == "final"
            assert "server" not in {name.lower() for name in answer.headers}
        with pytest.raises(urllib.error.HTTPError, match="421") as refused:
            urllib.request.urlopen(urllib.request.Request(url, headers={"Host": "evil.example"}), timeout=30)
        refused.value.close()
    finally:
        server.terminate()
        _, logged = server.communicate(timeout=30)
    assert logged == ""


def test_status_tells_whether_there_is_a_card(reported):
    env = {k: v for k, v in os.environ.items() if not k.startswith("HRV_")} | {"HRV_HOME": str(reported.home)}
    command = [sys.executable, "-m", "dashboard", "status", "--port", "1", "--json"]
    made = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(made.stdout)
    assert (told["has_card"], told["figures"], told["serving"], told["trouble"]) == (True, 3, False, None)
