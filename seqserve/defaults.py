"""Which model answers where none is named: the one that was set, else the shipped one, else the first by name."""

from collections.abc import Iterable, Mapping

from seqserve.errors import UsageError

SHIPPED = {
    "tag": "ner-en",
    "language-model": "lm-en",
    "classify": "question-en",
    "transduce": "translate-en-fr",
}
"""By task, the models of this repository that answer unless another is set."""


def default_name(task: str, names: Iterable[str]) -> str:
    """Choose among the models of a task, of which there is at least one: the shipped one, else the first by name."""
    able = set(names)
    return SHIPPED[task] if SHIPPED.get(task) in able else min(able)


def read_defaults(texts: Iterable[str]) -> dict[str, str]:
    """Read "tag=ner-en,classify=question-en" as names by task; raises UsageError."""
    names: dict[str, str] = {}
    for pair in ",".join(texts).split(","):
        task, _, name = map(str.strip, pair.partition("="))
        if not (task and name):
            raise UsageError(f"--default must be TASK=NAME, or several with commas between them, not {pair!r}.")
        if names.setdefault(task, name) != name:
            raise UsageError(f"--default names two models for the task {task!r}: {names[task]} and {name}.")
    return names


def choose_defaults(tasks: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return for each task the model that answers by default.

    tasks: by model, what it does. given: names by task, where one is set. Raises UsageError when a name or a task of
    `given` is not there, or the model does something else.
    """
    for task, name in given.items():
        start = f"--default {task}={name}: "
        if task not in tasks.values():
            raise UsageError(f"{start}no model does {task!r}; there are models for {_listed(tasks.values())}.")
        if name not in tasks:
            raise UsageError(f"{start}there is no model {name!r}; there are: {_listed(tasks)}.")
        if tasks[name] != task:
            raise UsageError(f"{start}the model {name!r} does {tasks[name]!r}.")
    able = {task: [name for name in tasks if tasks[name] == task] for task in sorted(set(tasks.values()))}
    return {task: given.get(task) or default_name(task, names) for task, names in able.items()}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names)))
