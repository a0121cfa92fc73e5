"""Dask clusters as engines for wheelrelay: ``type = "dask"``.

>>> from wheelrelay_dask import DaskConfig
>>> DaskConfig(workers=4).workers
4
"""

from wheelrelay_dask.config import DaskConfig

__all__ = ["DaskConfig"]
