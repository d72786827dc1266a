"""The hub route with the real huggingface_hub, against a hub on the loopback address."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hrv_shared.models import DownloadFailed, fetch
from hrv_shared.models.assemble import InstalledPackages
from hrv_shared.models.manifest import MANIFESTS, ModelFile, ModelManifest, manifest_of

REVISION = "1" * 40
FILES = {"model.bin": b"weights " * 4000, "config.json": b"{}"}


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download needs: metadata by HEAD, bytes by GET."""

    seen: list[tuple[str, str | None]] = []

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        self.seen.append((self.path, self.headers.get("Authorization")))
        name = self.path.removeprefix(f"/someone/fake/resolve/{REVISION}/")
        content = FILES.get(name)
        self.send_response(200 if content is not None else 404)
        self.send_header("X-Repo-Commit", REVISION)
        if content is not None:
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        if with_body and content is not None:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_a_token_that_must_stay_here")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Hub.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def manifest(sha256_of_weights: str) -> ModelManifest:
    files = (
        ModelFile("model.bin", len(FILES["model.bin"]), sha256_of_weights, ()),
        ModelFile("config.json", 2, hashlib.sha256(b"{}").hexdigest(), ()),
    )
    return ModelManifest(
        "fake-hub", "asr", files, 0, "", "none", hub_repo="someone/fake", hub_revision=REVISION
    )


def get(model, tmp_path, endpoint):
    # a part that nobody has installed, else a model without pieces would count as installed
    nothing = InstalledPackages([])
    nothing.missing = lambda _: ["not installed"]
    return fetch(model, cache_dir=tmp_path, route="hub", installed=nothing, hub_endpoint=endpoint)


def test_files_come_at_the_pinned_revision_without_the_users_token(tmp_path, endpoint):
    found = get(manifest(hashlib.sha256(FILES["model.bin"]).hexdigest()), tmp_path, endpoint)
    assert found.source == "download:hub"
    assert {p.name: p.read_bytes() for p in found.path.iterdir() if p.name != "verified.json"} == FILES
    assert all(REVISION in path and authorization is None for path, authorization in Hub.seen)


def test_other_bytes_are_refused(tmp_path, endpoint):
    with pytest.raises(DownloadFailed, match=r"delivered another model\.bin.*It was removed"):
        get(manifest("0" * 64), tmp_path, endpoint)
    assert not (tmp_path / "models/fake-hub").exists()


def test_a_model_without_an_official_file_says_so(tmp_path):
    with pytest.raises(DownloadFailed, match="no official file of smollm2-135m"):
        fetch("smollm2-135m", cache_dir=tmp_path, route="hub", installed=InstalledPackages([]))


def test_every_large_default_model_has_both_routes():
    large = [m for m in MANIFESTS if m.is_default and m.download_bytes > 10_000_000]
    assert {m.kind for m in large} == {"asr", "llm", "reader"}
    assert all(m.hub_repo and m.hub_revision and m.pin_file for m in large)
    assert len(manifest_of("asr").hub_revision) == 40
