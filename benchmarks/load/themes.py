"""Every theme that `python -m benchmarks` can run, in the order of the report."""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.load import (
    beside_peers,
    bulk_requests,
    bulk_text,
    layers,
    many_clients,
    mixed_lengths,
    one_client,
    streams,
)
from benchmarks.load.rows import Theme

_ALL = (
    many_clients.THROUGHPUT,
    many_clients.LATENCY,
    layers.THEME,
    one_client.THEME,
    bulk_requests.THEME,
    mixed_lengths.THEME,
    streams.STREAMING,
    streams.ITERATION,
    beside_peers.THEME,
    bulk_text.TAGGING,
    bulk_text.SCORING,
)

THEMES: Mapping[str, Theme] = MappingProxyType({theme.name: theme for theme in _ALL})
