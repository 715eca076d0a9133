"""Tunes in ABC notation, each as one sequence of characters that begins with metre and key."""

from collections.abc import Iterable, Iterator


def read_tunes(lines: Iterable[str]) -> Iterator[str]:
    """Yield each tune as "M:6/8", "K:G" and its music, line by line with line feeds between them.

    Metre and key come first, so that they are a generator's first input and the music its own outputs. Left out are
    titles, sources, remarks and other fields; changes of metre and key within the music stay where they are. A tune
    without metre, key or music is left out.
    """
    tune: list[str] = []
    for line in [*lines, "X:"]:
        if line.startswith("X:"):
            if text := _conditioned(tune):
                yield text
            tune = []
        else:
            tune.append(line.rstrip())


def _conditioned(tune: Iterable[str]) -> str:
    """Return metre, key and music of one tune; before the music the last metre and key count."""
    head: dict[str, str] = {}
    music: list[str] = []
    for line in tune:
        is_field = line[1:2] == ":" and line[:1].isalpha()
        if is_field and line[:1] in "MK":
            if music:
                music.append(line)
            else:
                head[line[:1]] = line
        elif line and not is_field and not line.startswith("%"):
            music.append(line)
    return "\n".join([head["M"], head["K"], *music]) if music and head.keys() == {"M", "K"} else ""
