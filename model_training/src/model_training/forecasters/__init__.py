"""The forecasters of this room, one file each; found through the entry points ``hrv.forecasters``."""

__all__: list[str] = []
