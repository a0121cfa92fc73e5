"""Requests that are signed, and sent once more when their credentials are refused."""

import threading

import pytest
from tests.servers.web import Reply

from wheelrelay.errors import AuthenticationFailed
from wheelrelay.http import HttpClient, NoSigner, SignedClient, TokenSigner, raise_for_status


class Tokens:
    """Issues a new token after each call of ``forget``."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)

    def fetch(self):
        return self.tokens[0]

    def forget(self):
        if len(self.tokens) > 1:
            self.tokens.pop(0)


@pytest.fixture
def url(web):
    """A page that only the token ``new`` may read."""

    def reply_to(request):
        is_new = request.headers.get("authorization") == "Bearer new"
        return Reply(b"content", 200 if is_new else 401, "text/plain")

    web.reply_to = reply_to
    return f"{web.url}page"


@pytest.fixture
def client_with():
    """Make a client with some tokens."""

    def client(*tokens):
        source = Tokens(*tokens)
        signer = TokenSigner(source.fetch, source.forget)
        return SignedClient(HttpClient(), signer, raise_for_status)

    return client


def test_request_carries_the_token(url, client_with):
    assert client_with("new").call("GET", url).text == "content"


def test_refused_token_is_replaced_once(url, client_with, web):
    assert client_with("old", "new").call("GET", url).text == "content"
    assert len(web.requests) == 2


def test_request_is_not_repeated_without_another_token(url, client_with, web):
    with pytest.raises(AuthenticationFailed):
        client_with("old").call("GET", url)
    assert len(web.requests) == 1


def test_second_refusal_is_an_error(url, client_with, web):
    with pytest.raises(AuthenticationFailed):
        client_with("old", "older", "new").call("GET", url)
    assert len(web.requests) == 2


def test_threads_replace_a_token_once(url, client_with, web):
    client = client_with("old", "new", "newest")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.call("GET", url).text)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["content"] * 8


def test_client_without_credentials_sends_none(url, client_with, web):
    with pytest.raises(AuthenticationFailed):
        client_with("new").without_credentials().call("GET", url)
    with pytest.raises(AuthenticationFailed):
        SignedClient(HttpClient(), NoSigner(), raise_for_status).call("GET", url)
    assert [request.headers.get("authorization") for request in web.requests] == [None, None]
