"""Who asks: keys, addresses, proxies."""

import pytest

from seqserve.service.clients import Clients, network_of
from seqserve.service.errors import UnauthorizedError
from seqserve.service.settings import Settings


def environ(path: str = "/v1/tag", address: str = "10.0.0.1", **headers: str) -> dict[str, str]:
    return {"PATH_INFO": path, "REMOTE_ADDR": address, **{f"HTTP_{name}": value for name, value in headers.items()}}


def test_without_keys_an_address_is_a_client() -> None:
    clients = Clients(Settings())
    assert clients.client_of(environ(AUTHORIZATION="Bearer whatever")) == "10.0.0.1"


def test_each_key_is_a_client_wherever_it_comes_from() -> None:
    clients = Clients(Settings(api_keys=("one", "two")))
    of = [clients.client_of(environ(AUTHORIZATION=f"Bearer {key}", address=f"10.0.0.{key}")) for key in ("one", "two")]
    assert len(set(of)) == 2
    assert all("one" not in client and "two" not in client for client in of)


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer three", "Basic one", "Bearer one two"])
def test_a_wrong_key_is_refused(given: str) -> None:
    with pytest.raises(UnauthorizedError):
        Clients(Settings(api_keys=("one", "two"))).client_of(environ(AUTHORIZATION=given))


def test_probes_need_no_key() -> None:
    assert Clients(Settings(api_keys=("one",))).client_of(environ("/healthz")) == "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client"),
    [
        (0, "1.1.1.1", "10.0.0.1"),
        (1, "1.1.1.1", "1.1.1.1"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
        (2, "1.1.1.1", "1.1.1.1"),
        (1, "", "10.0.0.1"),
    ],
)
def test_only_what_trusted_proxies_have_added_is_believed(proxies: int, forwarded: str, client: str) -> None:
    clients = Clients(Settings(trust_forwarded=proxies))
    assert clients.client_of(environ(X_FORWARDED_FOR=forwarded)) == client


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no:address", "no:address"),
        ("", ""),
    ],
)
def test_a_network_of_ipv6_is_one_client(address: str, network: str) -> None:
    assert network_of(address) == network
