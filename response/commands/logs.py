"""What the command line says while it works: plain text, one JSON object per line, or nothing but what matters.

Everything goes to stderr, so that data on stdout can be piped. Nothing of a patient's data is ever logged but the
ids of subjects that need a person's attention.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress

Mode = Literal["text", "json"]
Level = Literal["info", "warning", "error"]
Progressed = Callable[[int, int], None]
LONG_WORK_BYTES: Final = 20_000_000  # smaller inputs are done before a bar could be read


class Log:
    """Writes the messages of one run.

    Parameters
    ----------
    mode
        `text` for people, `json` for programs: one object per line with `time`, `level`, `event` and `message`.
    quiet
        Whether to leave out everything but warnings and errors.
    stream
        Where to write; stderr if not given.
    """

    def __init__(self, mode: Mode = "text", *, quiet: bool = False, stream: TextIO | None = None) -> None:
        self.mode, self.quiet = mode, quiet
        self._stream = stream

    @property
    def stream(self) -> TextIO:
        """Where messages go; looked up late, for stderr may be replaced."""
        return self._stream or sys.stderr

    def tell(self, event: str, message: str, **fields: Any) -> None:
        """Tell what was done."""
        if not self.quiet:
            self._write("info", event, message, fields)

    def alert(self, event: str, message: str, **fields: Any) -> None:
        """Tell what a person should look at."""
        self._write("warning", event, message, fields)

    def fail(self, event: str, message: str, **fields: Any) -> None:
        """Tell why nothing could be done."""
        self._write("error", event, message, fields)

    def _write(self, level: Level, event: str, message: str, fields: dict[str, Any]) -> None:
        if self.mode == "json":
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            entry = {"time": moment, "level": level, "event": event, "message": message, **fields}
            line = json.dumps(entry, ensure_ascii=False, default=str)
        else:
            line = message if level == "info" else f"{level}: {message}"
        try:
            print(line, file=self.stream, flush=True)
        except UnicodeEncodeError:  # a terminal that cannot show all letters
            print(line.encode("ascii", "backslashreplace").decode(), file=self.stream, flush=True)

    @contextmanager
    def stages(self, size: int | None) -> Iterator["Stages"]:
        """Show the stages of long work on a terminal, and nothing elsewhere.

        Parameters
        ----------
        size
            Bytes of the inputs, which decides whether the work is long; None where it is long in any case.
        """
        is_long = size is None or size >= LONG_WORK_BYTES
        shown = self.mode == "text" and not self.quiet and is_long and self.stream.isatty()
        if not shown:
            yield Stages(None)
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(file=self.stream), transient=True) as bar:
            yield Stages(bar)


class Stages:
    """The stages of one piece of work; each but the last shown is done."""

    def __init__(self, bar: "Progress | None") -> None:
        self.bar = bar

    def start(self, name: str) -> Progressed:
        """Start a stage; the function that is returned takes what is done, and of how much."""
        if self.bar is None:
            return _unseen
        bar = self.bar
        for task in bar.tasks:
            bar.update(task.id, total=1, completed=1)
        task_id = bar.add_task(name, total=None)
        return lambda done, of: bar.update(task_id, total=of, completed=done)


def _unseen(done: int, of: int) -> None:
    """Take progress that nobody looks at."""
