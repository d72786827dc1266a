"""Run as a process by ``download.py``: fetch files of one hub repository at one revision into a folder.

``python -m hrv_shared.models.hub_download REPOSITORY REVISION FOLDER FILE...``
"""

from __future__ import annotations

import sys


def main(repository: str, revision: str, folder: str, *names: str) -> int:
    """Fetch the files; return 0, or 1 with one line on stderr that says why not."""
    from huggingface_hub import hf_hub_download

    for name in names:
        try:
            # public files: a token of the user's must not be sent along
            hf_hub_download(
                repository, name, revision=revision, local_dir=folder, token=False, etag_timeout=10
            )
        except (OSError, ValueError, RuntimeError) as error:
            reason = str(error).strip().splitlines()
            print(f"error: {name}: {type(error).__name__}: {reason[0] if reason else ''}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
