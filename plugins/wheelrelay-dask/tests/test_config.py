"""Which clusters are safe to send code to, and which keys belong together."""

import pickle

import pytest

from wheelrelay.config import load_config
from wheelrelay.errors import ConfigError, EngineFailed
from wheelrelay_dask import DaskConfig

FILES = 'ca_cert = "ca.pem"\nclient_cert = "cert.pem"\nclient_key = "key.pem"\n'


def configured(tmp_path, keys):
    (tmp_path / "wheelrelay.toml").write_text(f'[engines.farm]\ntype = "dask"\n{keys}')
    return load_config(tmp_path / "wheelrelay.toml").engine("farm")


@pytest.mark.parametrize(
    "keys",
    [
        "workers = 4\n",
        'address = "tcp://127.0.0.1:8786"\n',
        'address = "tcp://[::1]:8786"\n',
        'address = "localhost:8786"\n',
        f'address = "tls://scheduler:8786"\n{FILES}',
        f'address = "tls://127.0.0.1:8786"\n{FILES}',
    ],
)
def test_safe_addresses_are_accepted(tmp_path, keys):
    config = configured(tmp_path, keys)
    assert pickle.loads(pickle.dumps(config)) == config
    if config.ca_cert:
        assert config.ca_cert == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("", "set either address or workers"),
        ('workers = 4\naddress = "localhost:8786"\n', "set either address or workers"),
        ("workers = 0\n", "engines.farm.workers"),
        (f"workers = 2\n{FILES}", "processes of this machine need none"),
        ('address = "tcp://scheduler:8786"\n', "must begin with tls://"),
        ('address = "scheduler:8786"\n', "must begin with tls://"),
        ('address = "tcp://192.0.2.7:8786"\n', "must begin with tls://"),
        ('address = "tcp://127.0.0.1.example.org:8786"\n', "must begin with tls://"),
        ('address = "tcp://localhost@example.org:8786"\n', "must begin with tls://"),
        ('address = "tcp://0.0.0.0:8786"\n', "must begin with tls://"),
        ('address = "ws://localhost:8786"\n', "must begin with tls://"),
        ('address = "tls://scheduler:8786"\n', "needs ca_cert, client_cert and client_key"),
        (
            'address = "tls://scheduler:8786"\nca_cert = "ca.pem"\n',
            "needs ca_cert, client_cert and client_key",
        ),
        ('adress = "localhost:8786"\n', "Did you mean 'address'?"),
    ],
)
def test_other_addresses_are_refused(tmp_path, keys, message):
    with pytest.raises(ConfigError) as caught:
        configured(tmp_path, keys)
    assert message in str(caught.value)


def test_a_scheduler_that_does_not_run_is_an_error(unused_port):
    address = f"tcp://127.0.0.1:{unused_port}"
    with (
        pytest.raises(EngineFailed, match=f"The scheduler at {address} cannot be reached"),
        DaskConfig(address=address, connect_timeout="1s").open(),
    ):
        pass


def test_a_certificate_that_does_not_exist_is_an_error(tmp_path):
    config = configured(tmp_path, f'address = "tls://127.0.0.1:8786"\n{FILES}')
    with pytest.raises(ConfigError, match=r"ca\.pem cannot be read"), config.open():
        pass
