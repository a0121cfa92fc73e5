"""Services are found by the names of their folders."""

import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from wheelrelay_s3.models import ModelLoader, load_models_by_name


@pytest.fixture
def session():
    session = botocore.session.Session()
    load_models_by_name(session)
    return session


def test_all_services_of_botocore_are_known():
    assert {*ModelLoader().list_available_services("service-2")} >= {
        *Loader().list_available_services("service-2")
    }


@pytest.mark.parametrize("service", ["s3", "sts", "sso", "sso-oidc"])
def test_model_is_that_of_botocore(service, session):
    model = session.get_service_model(service)
    assert model.metadata == botocore.session.Session().get_service_model(service).metadata


def test_unknown_service_is_an_error(session):
    with pytest.raises(UnknownServiceError):
        session.create_client("s4", "us-east-1")


def test_configured_folders_are_searched_first(tmp_path, monkeypatch):
    folder = tmp_path / "s3" / "2006-03-01"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text('{"metadata": {"serviceId": "other"}}')
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    session = botocore.session.Session()
    load_models_by_name(session)
    assert session.get_service_model("s3").metadata == {"serviceId": "other"}
