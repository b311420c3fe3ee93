from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from crm_sync.calls.tokens import Token, TokenProvider, TokenRefused
from crm_sync.errors import AccessDenied, ServerFault


class Issuer:
    """Issues numbered tokens; only those in `accepted` are accepted."""

    def __init__(self, accepted: Callable[[str], bool]) -> None:
        self.issued = 0
        self.accepted = accepted

    def fetch(self) -> Token:
        self.issued += 1
        return Token(f"token-{self.issued}")

    def send(self, token: Token) -> str:
        if not self.accepted(token.value):
            raise TokenRefused("session expired")
        return token.value


def test_a_token_never_shows_in_its_repr() -> None:
    assert "canary" not in repr(Token("canary"))


def test_the_same_token_serves_every_call() -> None:
    issuer = Issuer(lambda value: True)
    provider = TokenProvider(issuer.fetch)
    assert [provider.run(issuer.send) for _ in range(5)] == ["token-1"] * 5
    assert issuer.issued == 1


def test_eight_threads_that_see_an_expired_token_refresh_it_once() -> None:
    issuer = Issuer(lambda value: value != "token-1")
    provider = TokenProvider(issuer.fetch)
    barrier = threading.Barrier(8)
    first = provider.current()
    got: list[str] = []

    def send(token: Token) -> str:
        if token == first:
            barrier.wait(timeout=10)  # all eight are refused before any of them renews
        return issuer.send(token)

    threads = [threading.Thread(target=lambda: got.append(provider.run(send))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert got == ["token-2"] * 8
    assert issuer.issued == 2


def test_two_refusals_in_a_row_are_access_denied_and_no_loop() -> None:
    issuer = Issuer(lambda value: False)
    provider = TokenProvider(issuer.fetch, place="acme", fix="Renew the secret.")
    with pytest.raises(AccessDenied, match="session expired") as caught:
        provider.run(issuer.send)
    assert issuer.issued == 2
    assert caught.value.exit_code == 5
    assert caught.value.fix == "Renew the secret."
    assert "token-" not in str(caught.value)


def test_a_refused_token_is_not_used_again_after_a_failed_refresh() -> None:
    issuer = Issuer(lambda value: value != "token-1")
    outage = iter([False, True, False])

    def fetch() -> Token:
        if next(outage):
            raise ServerFault("no answer", sent=True)
        return issuer.fetch()

    provider = TokenProvider(fetch)
    with pytest.raises(ServerFault) as caught:
        provider.run(issuer.send)
    assert caught.value.sent is False  # the request itself was refused: nothing was carried out
    assert provider.run(issuer.send) == "token-2"
