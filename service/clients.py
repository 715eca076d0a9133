"""Identify the client of a request: by its key where keys are used, else by its address."""

import functools
import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any

from seqserve.service.errors import UnauthorizedError
from seqserve.service.settings import Settings

_PROTECTED = ("/v1/", "/v2/")
_LONGEST_ADDRESS = 64
_IPV6_NETWORK_BITS = 64
"""A provider gives a customer such a network; the customer may use every address of it."""


class Clients:
    """Identifies clients, so that each gets its share of every limit."""

    def __init__(self, settings: Settings) -> None:
        self._keys = [key.encode() for key in settings.api_keys]
        self._num_proxies = settings.trust_forwarded

    def client_of(self, environ: Mapping[str, Any]) -> str:
        """Return the client of a request, given its WSGI environment.

        Raises UnauthorizedError when the request's path needs a key and the request has no accepted one.
        """
        if self._keys and f"{environ['PATH_INFO']}/".startswith(_PROTECTED):
            return self._key_of(environ.get("HTTP_AUTHORIZATION", ""))
        return self.address_of(environ)

    def address_of(self, environ: Mapping[str, Any]) -> str:
        """Return the address of a request's client.

        Behind N trusted proxies it is the entry of X-Forwarded-For that the outermost of them has added. The client
        itself may have written the entries further left.
        """
        peer = str(environ.get("REMOTE_ADDR", ""))
        if self._num_proxies and (forwarded := environ.get("HTTP_X_FORWARDED_FOR")):
            entries = [each.strip() for each in forwarded.split(",")]
            return network_of(entries[max(0, len(entries) - self._num_proxies)][:_LONGEST_ADDRESS])
        return network_of(peer)

    def _key_of(self, authorization: str) -> str:
        scheme, _, given = authorization.partition(" ")
        presented = given.strip().encode("latin-1", "replace")  # WSGI's strings are bytes
        # Every key is compared, each in constant time: the time of an answer reveals nothing.
        matches = [hmac.compare_digest(presented, key) for key in self._keys]
        if scheme.lower() != "bearer" or not any(matches):
            raise UnauthorizedError("This address needs Authorization: Bearer KEY with a key that is accepted here.")
        return f"key {matches.index(True)}"


@functools.lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return the address itself, or the network of an IPv6 address."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), _IPV6_NETWORK_BITS), strict=False))
