"""Any file system that fsspec supports, as a container."""

from wheelrelay.backends.fsspec.config import FsspecConfig

__all__ = ["FsspecConfig"]
