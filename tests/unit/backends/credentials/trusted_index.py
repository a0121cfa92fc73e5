"""An index that trusts CI jobs, as the tests configure it."""

from tests.servers.oidc import AUDIENCE

from wheelrelay.backends.index import IndexConfig
from wheelrelay.testing import make_wheel, stage_path


def trusting(index, **keys):
    """A configuration of the index that has it publish by identity."""
    addresses = {"url": index.simple_url, "upload_url": index.upload_url}
    trust = {"trusted_publishing": True, "audience": AUDIENCE}
    return IndexConfig.model_validate({**addresses, **trust, **keys})


def opened(index):
    """The index, connected."""
    return trusting(index).open()


def wheel(folder, project="sample", version="1.0"):
    return stage_path(make_wheel(folder, project, version))
