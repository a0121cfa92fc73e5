"""Check before a build whether a release may be published; nothing is uploaded or changed.

Each check is a function that returns one result or several; `run` calls them. The rules about a release and a
sink are those of the gate (`wheelrelay.checks.sink`), applied to a release like the last one.
"""

from wheelrelay.engine.preflight.run import preflight
from wheelrelay.engine.preflight.subject import PreflightRequest

__all__ = ["PreflightRequest", "preflight"]
