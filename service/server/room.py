"""What a process takes on: requests that are being answered and bytes that are held, in all and for each client."""

import math
import time

from seqserve.service.engine.shares import Shares
from seqserve.service.errors import OverloadedError
from seqserve.service.metrics.telemetry import Telemetry
from seqserve.service.settings import Settings

CROWDED_S = 1.0
"""How long a second client counts as being there."""

_DECAY = 0.7
_MOST_REFUSED = 1024
_MOST_WAIT_S = 5


class Room:
    """The account of one process; called by the loop's thread."""

    def __init__(self, settings: Settings, telemetry: Telemetry) -> None:
        self.requests = Shares(settings.max_requests, share=settings.client_share)
        self.bytes = Shares(settings.max_buffered_bytes, share=settings.client_share)
        self._last_client: str | None = None
        self._crowded_until = 0.0
        self._refused: dict[str, tuple[float, int]] = {}  # until when (monotonic), and from which size on
        self.num_answered = 0
        """Since the process began."""
        quota = max(1, int(settings.client_share * settings.max_requests))
        self._policy = f'RateLimit-Policy: "client";q={quota};qu="concurrent-requests"\r\nRateLimit: "client";r='
        self._telemetry = telemetry
        self._num_seen = 0
        self._answers_per_s = 0.0

    def has_room(self, client: str) -> bool:
        """Whether a client's request is taken now: there is room in the process, and in the client's share of it."""
        return self.requests.fits(client, 1)

    def begin_request(self, client: str) -> None:
        """Count a request in."""
        self.requests.add(client, 1)
        if self.requests.num_clients > 1 or self._last_client not in (None, client):
            self._crowded_until = time.monotonic() + CROWDED_S
        self._last_client = client

    @property
    def is_crowded(self) -> bool:
        """Whether several clients have asked in the last second."""
        return time.monotonic() < self._crowded_until

    def has_its_share(self, client: str) -> bool:
        """Whether a client is refused on its own account while others are there."""
        is_over = client in self._refused or self.requests.held < self.requests.limit
        return is_over and self.is_crowded

    def note_refused(self, client: str, num_bytes: int, retry_after_s: int) -> None:
        """Take down that the engine had no room for a client's request of this size."""
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[client] = (time.monotonic() + min(retry_after_s, _MOST_WAIT_S), num_bytes)

    def is_early(self, client: str, num_bytes: int) -> bool:
        """Whether a client whose request was refused comes back with such a one before the time that it was told.

        Reading it again would take from others what refusing saves. Where there are no others it may try.
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
        """Count a request out."""
        self.requests.give(client, 1)
        self.num_answered += 1

    def overload(self, client: str) -> OverloadedError:
        """Return the error for one request more than the process, or the client, may have. It is counted."""
        requests = self.requests
        if client in self._refused and self.has_room(client):
            detail = "This client was told to come back later (Retry-After), and has come earlier."
        elif requests.held >= requests.limit:
            detail = f"{requests.held} requests are being answered, the limit of a process (max_requests)."
        else:
            detail = (
                f"{requests.held_by(client)} requests of this client are being answered, its share of the "
                f"{requests.limit} that a process takes (client_share)."
            )
        return self.excess(detail)

    def rate_limit(self, client: str, error: OverloadedError | None = None) -> str:
        """Return the header lines that say how many requests more a client may have answered at a time.

        Fields of draft-ietf-httpapi-ratelimit-headers-10. error: of a request that was refused; nothing is left then.
        """
        if error is None:
            return f"{self._policy}{self.requests.left_to(client)}\r\n"
        return f"{self._policy}0;t={error.retry_after_s}\r\n"

    def can_hold(self, client: str, num_bytes: int) -> bool:
        """Whether a client may hold these bytes now."""
        return self.bytes.fits(client, num_bytes)

    def hold(self, client: str, num_bytes: int, *, own: int = 0) -> None:
        """Hold a client's bytes until `release`; raises OverloadedError, which is counted, when there is no room.

        own: what the same request holds already. Where nothing else is held there is always room: an answer larger than
        the account would be refused for ever.
        """
        if self.bytes.held == own:
            self.bytes.add(client, num_bytes)
        elif not self.bytes.take(client, num_bytes):
            raise self.excess(
                f"{self.bytes.held} bytes of requests and answers are held, {self.bytes.held_by(client)} of them for "
                f"this client: {num_bytes} more exceed its share of {self.bytes.limit} (max_buffered_bytes)."
            )

    def release(self, client: str, num_bytes: int) -> None:
        """Give bytes back."""
        self.bytes.give(client, num_bytes)

    def excess(self, detail: str) -> OverloadedError:
        """Return an error that says when to come again: when what is being answered should be done. It is counted."""
        self._telemetry.count_rejected(OverloadedError.code)
        wait_s = math.ceil(self.requests.held / max(self._answers_per_s, 1.0))
        return OverloadedError(detail, retry_after_s=max(1, wait_s))

    def tick(self, seconds: float) -> None:
        """Measure the speed; to be called every so many seconds."""
        answered, self._num_seen = self.num_answered - self._num_seen, self.num_answered
        self._answers_per_s = _DECAY * self._answers_per_s + (1 - _DECAY) * answered / seconds
