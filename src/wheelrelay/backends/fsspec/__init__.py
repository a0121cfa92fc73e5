"""Any place that fsspec reaches, as a container."""

from wheelrelay.backends.fsspec.config import FsspecConfig

__all__ = ["FsspecConfig"]
