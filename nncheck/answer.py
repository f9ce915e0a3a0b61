"""The learner's answer as a check sees it: `Local` in this kernel, `Remote` in another process.

Both have the same two methods. `trouble(name)` says why an answer cannot be checked at all, if so;
`reply(call)` is what it replies to one call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nncheck.exercise import Call
from nncheck.wire import Odd
from nncheck.worker import built_here, run_probe


@dataclass(frozen=True)
class Raised:
    """An exception as a reply: its type's name, its message, and the learner's own line."""

    kind: str
    message: str
    function: str = ""
    line: int = 0
    text: str = ""


@dataclass(frozen=True)
class Reply:
    """What an answer replied to one call: a value or an exception, and the data it changed."""

    value: Any = None
    raised: Raised | None = None
    changed: dict[int, Any] = field(default_factory=dict)


class Trouble(Exception):
    """Why an answer cannot be checked. `status` is a verdict's, `kind` names the case."""

    def __init__(self, status: str, kind: str, message: str):
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def reply_from(message) -> Reply:
    """A reply from what `run_probe` said, believing nothing about its form."""
    try:
        changed = {int(i): value for i, value in message["changed"]}
        if "missing" in message:
            raise missing(str(message["missing"])[:80])
        if "error" in message:
            return Reply(raised=raised_from(message["error"]), changed=changed)
        return Reply(value=message["value"], changed=changed)
    except (KeyError, TypeError, ValueError):
        return Reply(value=Odd("reply that cannot be read"))


def raised_from(error) -> Raised:
    function, line, text = error["at"] or ("", 0, "")
    kind, message = error["kind"], error["message"]
    if not all(isinstance(s, str) for s in (kind, message, function, text)):
        raise TypeError("an error without words")
    return Raised(kind, message, function, int(line), text)


def missing(name) -> Trouble:
    return Trouble(
        "missing",
        "missing",
        f"There is no `{name}` any more: was it renamed, or its cell deleted? Define `{name}` "
        "again under this very name; `nncheck update` brings a deleted cell back.",
    )


class Local:
    """An answer in this process: names and what they stand for."""

    def __init__(self, names: Mapping[str, Any], builds: tuple[str, ...] = ()):
        self.names, self.builds = names, builds

    def trouble(self, name: str) -> Trouble | None:
        """Why the answer of that name cannot be checked; None if it can."""
        return None if name in self.names else missing(name)

    def reply(self, call: Call) -> Reply:
        """What the answer replies to one call."""
        with built_here(self.builds) as closed:
            wanted = {n: self.names[n] for n in call.names if n in self.names}
            wanted = {n: closed.get(id(v), v) for n, v in wanted.items()}
            return reply_from(run_probe(call.probe, call.names, wanted, call.data, self.names))

    def close(self):
        """Nothing to end here."""
