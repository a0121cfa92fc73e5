"""Clusters that Dask's own commands start, with TLS: who has no certificate is not connected."""

import gc

import pytest
import trustme
from tests.servers.dask import acting_source, names_in, nothing, route_to, run_tls_cluster

import wheelrelay
from wheelrelay import DirectoryConfig, Remote
from wheelrelay.errors import ConfigError, EngineFailed, RelayFailed
from wheelrelay_dask import DaskConfig

pytestmark = [
    pytest.mark.long,
    # Dask does not close the socket of each TLS connection that it gives up.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _discarded_sockets():
    """Let sockets that Dask discarded be reported within the test that the filter applies to."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def remote_cluster(tmp_path_factory):
    with run_tls_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def test_a_mirror_over_tls_arrives(remote_cluster, source, dist, tmp_path):
    out = tmp_path / "out"
    config = DaskConfig(address=remote_cluster.address, **remote_cluster.files)
    assert wheelrelay.relay(route_to(out, source), engine=config).is_complete
    assert names_in(out) == names_in(dist)


def test_a_directory_that_is_not_shared_is_refused(remote_cluster, dist, tmp_path):
    config = DaskConfig(address=remote_cluster.address, **remote_cluster.files)
    local = Remote("local", DirectoryConfig(path=tmp_path / "out"))
    route = route_to(tmp_path, dist).model_copy(update={"sinks": (local,)})
    with pytest.raises(ConfigError, match="'local' is a place on this machine"):
        wheelrelay.relay(route, engine=config)


def test_a_certificate_of_another_authority_is_refused(remote_cluster, tmp_path):
    other = trustme.CA()
    certificate = other.issue_cert("127.0.0.1")
    files = {name: tmp_path / f"{name}.pem" for name in remote_cluster.files}
    other.cert_pem.write_to_path(str(files["ca_cert"]))
    certificate.cert_chain_pems[0].write_to_path(str(files["client_cert"]))
    certificate.private_key_pem.write_to_path(str(files["client_key"]))
    config = DaskConfig(address=remote_cluster.address, connect_timeout="2s", **files)
    with pytest.raises(EngineFailed, match="cannot be reached"), config.open():
        pass


def test_a_connection_without_tls_is_not_accepted(remote_cluster):
    address = remote_cluster.address.replace("tls://", "tcp://")
    with (
        pytest.raises(EngineFailed, match="cannot be reached"),
        DaskConfig(address=address, connect_timeout="2s").open(),
    ):
        pass


def test_a_scheduler_that_ends_is_reported_and_a_second_run_completes(dist, tmp_path, cluster):
    out = tmp_path / "out"
    with (
        run_tls_cluster(tmp_path) as ending,
        acting_source(dist, ending.scheduler.kill, at=8) as source,
    ):
        config = DaskConfig(address=ending.address, **ending.files)
        with pytest.raises(
            RelayFailed, match=f"The connection to the scheduler at {ending.address} was lost"
        ):
            wheelrelay.relay(route_to(out, source), engine=config)
    with pytest.raises(EngineFailed):
        cluster_of_closed_engine(config)
    assert wheelrelay.relay(route_to(out, dist), engine=cluster).is_complete
    assert names_in(out) == names_in(dist)


def cluster_of_closed_engine(config):
    """Connect to a scheduler that has ended."""
    with config.model_copy(update={"connect_timeout": config.connect_timeout / 30}).open() as engine:
        engine.submit(nothing, "", print)
