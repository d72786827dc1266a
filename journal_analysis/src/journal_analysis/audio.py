"""Recordings as samples: any common format, decoded by PyAV, and the time at which a recording was made."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from journal_analysis.errors import UnreadableAudio

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MAX_AUDIO_BYTES", "MAX_AUDIO_MIN", "SAMPLE_RATE", "decode", "recorded_at_of"]

SAMPLE_RATE = 16_000
_ONLY_RECORDINGS = {
    "protocol_whitelist": "file",
    "format_whitelist": "wav,w64,flac,mp3,mov,mp4,m4a,3gp,3g2,mj2,ogg,matroska,webm,aac,amr,aiff,caf,asf,au,avi,mpegts",
}
"""No playlists: they would lead the decoder to other files and addresses, or let it wait for ever."""
MAX_AUDIO_MIN = 30.0
MAX_AUDIO_BYTES = 200 * 1024 * 1024
_TIME_TAGS = ("com.apple.quicktime.creationdate", "creation_time", "date_recorded", "date")
"""Tags in which recorders write their time, the most exact first."""
_NEVER_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
"""Recorders without a clock write the epoch (1904 in MP4, 1970 elsewhere)."""


def decode(path: Path) -> np.ndarray:
    """The recording as mono samples at 16 kHz (float32, -1 … 1), shape [n].

    Raises
    ------
    UnreadableAudio
        Not a recording, damaged, too long or too large.
    """
    import av
    import numpy as np

    _refuse_large(path)
    pieces: list[np.ndarray] = []
    total = 0
    try:
        with av.open(str(path), mode="r", metadata_errors="ignore", options=_ONLY_RECORDINGS) as container:
            if not container.streams.audio:
                raise UnreadableAudio(
                    f"{path.name} holds no sound. Expected a recording (flac, wav, mp3, m4a, ogg, webm …)."
                )
            resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
            for frame in container.decode(audio=0):
                frame.pts = None
                for out in resampler.resample(frame):
                    pieces.append(out.to_ndarray().reshape(-1))
                    total += pieces[-1].size
                if total > MAX_AUDIO_MIN * 60 * SAMPLE_RATE:
                    raise UnreadableAudio(
                        f"{path.name} is longer than {MAX_AUDIO_MIN:.0f} minutes. Cut it and add the parts."
                    )
            for out in resampler.resample(None):
                pieces.append(out.to_ndarray().reshape(-1))
    except (av.FFmpegError, ValueError, IndexError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableAudio(
            f"{path.name} can't be read as a recording ({reason}). Expected flac, wav, mp3, m4a, ogg or webm; "
            "record it again."
        ) from error
    if not pieces or not total:
        raise UnreadableAudio(f"{path.name} is an empty recording. Record it again.")
    samples = np.concatenate(pieces).astype(np.float32, copy=False)
    return np.nan_to_num(samples, copy=False)


def recorded_at_of(path: Path, now: datetime) -> datetime:
    """When a recording was made: what the recorder wrote into it, else when the file was last written.

    Parameters
    ----------
    now : datetime
        Aware; a clock that ran ahead counts as now.

    Returns
    -------
    datetime
        With the recorder's own offset where it wrote one (QuickTime's creationdate), else in UTC.

    Notes
    -----
    MP4's and WebM's ``creation_time`` is written when a recording is begun or closed, and copying a file to another
    device keeps it, where it changes the file's own time.
    """
    tagged = _tagged_time(path)
    if tagged is not None and _NEVER_BEFORE <= tagged <= now:
        return tagged
    return min(datetime.fromtimestamp(path.stat().st_mtime, UTC), now)


def _tagged_time(path: Path) -> datetime | None:
    import av

    try:
        with av.open(str(path), mode="r", metadata_errors="ignore", options=_ONLY_RECORDINGS) as container:
            tags = {k.lower(): v for stream in container.streams.audio for k, v in stream.metadata.items()}
            tags |= {k.lower(): v for k, v in container.metadata.items()}
    except (av.FFmpegError, ValueError, OSError):
        return None
    for name in _TIME_TAGS:
        try:
            told = datetime.fromisoformat(tags.get(name, ""))
        except ValueError:
            continue
        if len(tags[name]) > len("2026-03-04"):  # a date alone says no hour
            return told if told.tzinfo else told.replace(tzinfo=UTC)
    return None


def _refuse_large(path: Path) -> None:
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise UnreadableAudio(
            f"Expected a recording at {path}, but it can't be opened ({error.strerror})."
        ) from error
    if size_bytes > MAX_AUDIO_BYTES:
        raise UnreadableAudio(
            f"{path.name} has {size_bytes / 1e6:.0f} MB; a note may have {MAX_AUDIO_BYTES / 1e6:.0f} MB. "
            "Cut or compress it."
        )
