"""Limit the requests that a process answers and the bytes that it holds, in total and for each client."""

import math
import time

from seqserve.service.engine.shares import Shares
from seqserve.service.errors import OverloadedError
from seqserve.service.metrics.telemetry import Telemetry
from seqserve.service.settings import Settings

CROWDED_S = 1.0
"""Time after a request in which the process counts as shared by several clients."""

_DECAY = 0.7
_MOST_REFUSED = 1024
_MOST_WAIT_S = 5


class Room:
    """The requests and bytes of one process; called by the loop's thread."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self.requests = Shares(settings.max_requests, share=settings.client_share)
        self.bytes = Shares(settings.max_buffered_bytes, share=settings.client_share)
        self._last_client: str | None = None
        self._crowded_until = 0.0
        self._refused: dict[str, tuple[float, int]] = {}  # end of Retry-After, monotonic; size of the request
        self.num_answered = 0
        """Since the process began."""
        quota = max(1, int(settings.client_share * settings.max_requests))
        self._policy = f'RateLimit-Policy: "client";q={quota};qu="concurrent-requests"\r\nRateLimit: "client";r='
        self._telemetry = telemetry
        self._num_seen = 0
        self._answers_per_s = 0.0

    def accepts(self, client: str, num_bytes: int) -> bool:
        """Return whether a client may send a request of this size now."""
        return self.requests.fits(client, 1) and not self._is_early(client, num_bytes)

    def begin_request(self, client: str) -> None:
        """Count a request that begins."""
        self.requests.add(client, 1)
        if self.requests.num_clients > 1 or self._last_client not in (None, client):
            self._crowded_until = time.monotonic() + CROWDED_S
        self._last_client = client

    @property
    def is_crowded(self) -> bool:
        """Whether several clients have sent requests in the last second."""
        return time.monotonic() < self._crowded_until

    def has_its_share(self, client: str) -> bool:
        """Return whether a client is refused because of its own share while others use the process."""
        is_over = client in self._refused or self.requests.held < self.requests.limit
        return is_over and self.is_crowded

    def note_refused(self, client: str, num_bytes: int, retry_after_s: int) -> None:
        """Note that the engine had no room for a client's request of this size."""
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[client] = (time.monotonic() + min(retry_after_s, _MOST_WAIT_S), num_bytes)

    def _is_early(self, client: str, num_bytes: int) -> bool:
        """Return whether a client repeats a refused request before its Retry-After has passed.

        Reading the request again would cost other clients time. Without other clients the answer is False.
        """
        found = self._refused.get(client)
        if found is None:
            return False
        until, refused_bytes = found
        if time.monotonic() >= until:
            del self._refused[client]
            return False
        return 2 * num_bytes >= refused_bytes and self.is_crowded

    def end_request(self, client: str) -> None:
        """Count a request that has ended."""
        self.requests.release(client, 1)
        self.num_answered += 1

    def overload(self, client: str) -> OverloadedError:
        """Return, and count, the error for a request beyond the limit of the process or the share of its client."""
        requests = self.requests
        if client in self._refused and self.requests.fits(client, 1):
            detail = "This client has sent the request again before its Retry-After had passed."
        elif requests.held >= requests.limit:
            detail = f"{requests.held} requests are being answered, the limit of a process (max_requests)."
        else:
            detail = (
                f"{requests.held_by(client)} requests of this client are being answered, its share of the "
                f"{requests.limit} that a process takes (client_share)."
            )
        return self.excess(detail)

    def rate_limit(self, client: str, error: OverloadedError | None = None) -> str:
        """Return the header lines that tell a client how many more concurrent requests it may send.

        Fields of draft-ietf-httpapi-ratelimit-headers-10. error: with which a request was refused; then none is left.
        """
        if error is None:
            return f"{self._policy}{self.requests.left_to(client)}\r\n"
        return f"{self._policy}0;t={error.retry_after_s}\r\n"

    def hold(self, client: str, num_bytes: int, *, own: int = 0) -> None:
        """Hold a client's bytes until `release`; raises, and counts, OverloadedError when there is no room.

        own: bytes that the same request holds already. When nothing else is held there is always room; an answer larger
        than the limit would otherwise be refused for ever.
        """
        if self.bytes.held == own:
            self.bytes.add(client, num_bytes)
        elif not self.bytes.take(client, num_bytes):
            raise self.excess(
                f"{self.bytes.held} bytes of requests and answers are held, {self.bytes.held_by(client)} of them for "
                f"this client: {num_bytes} more exceed its share of {self.bytes.limit} (max_buffered_bytes)."
            )

    def release(self, client: str, num_bytes: int) -> None:
        """Release bytes."""
        self.bytes.release(client, num_bytes)

    def excess(self, detail: str) -> OverloadedError:
        """Return, and count, an error whose Retry-After is the time in which the current requests should end."""
        self._telemetry.count_rejected(OverloadedError.code)
        wait_s = math.ceil(self.requests.held / max(self._answers_per_s, 1.0))
        return OverloadedError(detail, retry_after_s=max(1, wait_s))

    def tick(self, seconds: float) -> None:
        """Measure the answers per second; to be called every `seconds` seconds."""
        answered, self._num_seen = self.num_answered - self._num_seen, self.num_answered
        self._answers_per_s = _DECAY * self._answers_per_s + (1 - _DECAY) * answered / seconds
