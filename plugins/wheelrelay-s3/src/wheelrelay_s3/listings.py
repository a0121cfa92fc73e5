"""Read the objects of a listing without botocore, which needs longer for them than the server does.

botocore converts each element by its description of the API. Here the objects are taken out of an answer, and
botocore reads what is left. Whatever is unusual stays for botocore, so errors are its own.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from botocore.utils import parse_timestamp


def read_objects_apart(client: Any) -> None:
    """Let a client of botocore read the objects in listings by this module."""
    client.meta.events.register_first("before-parse.s3.ListObjectsV2", _take_objects)


def parse_time(value: Any) -> datetime:
    """Return a time in an answer.

    Listings have one for each object, and the general parser of botocore is slow.
    """
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):  # answers to a HEAD have the form of HTTP
        parsed: datetime = parse_timestamp(value)
        return parsed


_FIELDS: dict[str, Callable[[str], Any]] = {"Key": str, "LastModified": parse_time, "ETag": str, "Size": int}
"""The fields of an object that are used, and how their text is converted."""


def _take_objects(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    """Move the objects from the body of an answer to its parsed form."""
    if response_dict["status_code"] != 200:
        return
    try:
        root = ElementTree.fromstring(response_dict["body"])  # noqa: S314  (botocore reads it likewise)
        namespace = root.tag[: root.tag.find("}") + 1]
        elements = root.findall(f"{namespace}Contents")
        objects = [_fields(element, namespace) for element in elements]
    except (ElementTree.ParseError, ValueError):
        return
    if objects:
        root[:] = [element for element in root if not element.tag.endswith("Contents")]
        response_dict["body"] = ElementTree.tostring(root)
        customized_response_dict["Contents"] = objects


def _fields(element: ElementTree.Element, namespace: str) -> dict[str, Any]:
    texts = {name: element.findtext(namespace + name) for name in _FIELDS}
    return {name: _FIELDS[name](text) for name, text in texts.items() if text is not None}
