"""Keep the failed starts of workers: the reasons that were logged, and the time of the next start."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


class StartFailures:
    """Pauses that double with each failure; times are monotonic seconds."""

    def __init__(self) -> None:
        self._reasons: set[str] = set()
        self._pause_s = 0.0
        self._due_at = 0.0

    def __bool__(self) -> bool:
        """Whether a worker has failed to start since the last `clear`."""
        return bool(self._reasons)

    def note(self, reason: str, now: float) -> bool:
        """Note a failure; return whether its reason is new."""
        is_new = reason not in self._reasons
        self._reasons.add(reason)
        self._pause_s = min(2 * self._pause_s or FIRST_PAUSE_S, LONGEST_PAUSE_S)
        self._due_at = now + self._pause_s
        return is_new

    def pause_left_s(self, now: float) -> float:
        """Return the seconds until another worker may be started."""
        return max(0.0, self._due_at - now)

    def clear(self) -> None:
        """Forget all failures, because a worker has served."""
        self._reasons.clear()
        self._pause_s = 0.0
        self._due_at = 0.0
