"""Every measurement once a round, so that whatever changes with time meets all of them alike."""

from collections.abc import Callable, Mapping, Sequence

from benchmarks.load.rows import Numbers, Rounds, Row, Take
from seqserve.errors import SeqserveError

PEER = "peer "


def interleaved(takes: Mapping[str, Take], num_rounds: int, say: Callable[[str], None]) -> list[dict[str, Numbers]]:
    """Take every measurement `num_rounds` times, every second round in reverse order.

    A first round does not count; peers are left out of it, since each start of them has a warm-up of its own. A
    measurement that fails is missing from its round, and `say` is told why.
    """
    rounds: list[dict[str, Numbers]] = []
    for number in range(num_rounds + 1):
        names = list(takes) if number % 2 else list(takes)[::-1]
        if number == 0:
            names = [name for name in takes if not name.startswith(PEER)]
        found: dict[str, Numbers] = {}
        for place, name in enumerate(names, start=1):
            say(f"round {number} of {num_rounds}, {place} of {len(names)}: {name}")
            try:
                found[name] = takes[name]()
            except SeqserveError as error:
                say(f"failed: {name}: {error}")
        rounds.append({name: found[name] for name in takes if name in found})
    return rounds[1:]


def honesty_rows(rounds: Rounds) -> list[Row]:
    """What must not happen to any request of ours: another body than alone, a refusal, a cut connection, silence.

    Rounds that sent no such requests have no value.
    """
    sent = [_sent(each) for each in rounds]
    return [
        Row(measure=measure, values=_totals(sent, numbers), target=0, aim=0, at_most=True)
        for measure, numbers in (
            ("answers that differ from the answer given alone", ("num_different",)),
            ("requests refused, cut or never answered", ("num_others", "num_broken", "num_hung")),
        )
    ]


def _sent(each: Mapping[str, Numbers]) -> list[Numbers]:
    return [numbers for name, numbers in each.items() if "num_different" in numbers and not name.startswith(PEER)]


def _totals(sent: Sequence[Sequence[Numbers]], names: Sequence[str]) -> tuple[float, ...]:
    return tuple(sum(numbers[name] for numbers in each for name in names) for each in sent if each)
