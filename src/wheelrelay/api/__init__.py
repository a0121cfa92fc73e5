"""The public functions, called by Python programs, the command line and CI steps.

>>> import wheelrelay
>>> from wheelrelay.testing.samples import make_wheel
>>> wheel = make_wheel(tmp_path, "sample", "1.0")
>>> route = wheelrelay.Route(source=str(tmp_path), sinks=[str(tmp_path / "wheelhouse")])
>>> wheelrelay.plan(route, ["sample"]).files[0].file.filename
'sample-1.0-py3-none-any.whl'
>>> receipt = wheelrelay.relay(route, ["sample==1.0"])
>>> receipt.is_complete
True
>>> wheelrelay.check([wheel])
[]
"""

from typing import TYPE_CHECKING

from wheelrelay.exports import lazy_names

if TYPE_CHECKING:
    from wheelrelay.api.audits import audit
    from wheelrelay.api.checks import check
    from wheelrelay.api.comparing import compare
    from wheelrelay.api.containers import check_index, index, prune, remove, yank
    from wheelrelay.api.listing import list_files
    from wheelrelay.api.options import PublishOptions
    from wheelrelay.api.preflights import preflight
    from wheelrelay.api.receipts import read_receipt
    from wheelrelay.api.releases import plan, push, relay, verify

__all__ = [
    "PublishOptions",
    "audit",
    "check",
    "check_index",
    "compare",
    "index",
    "list_files",
    "plan",
    "preflight",
    "prune",
    "push",
    "read_receipt",
    "relay",
    "remove",
    "verify",
    "yank",
]

__getattr__ = lazy_names(
    __name__,
    {
        "wheelrelay.api.audits": ("audit",),
        "wheelrelay.api.checks": ("check",),
        "wheelrelay.api.comparing": ("compare",),
        "wheelrelay.api.listing": ("list_files",),
        "wheelrelay.api.options": ("PublishOptions",),
        "wheelrelay.api.preflights": ("preflight",),
        "wheelrelay.api.receipts": ("read_receipt",),
        "wheelrelay.api.releases": (
            "plan",
            "push",
            "relay",
            "verify",
        ),
        "wheelrelay.api.containers": (
            "check_index",
            "index",
            "prune",
            "remove",
            "yank",
        ),
    },
)
