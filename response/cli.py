"""The command line, thin: read, call, write. What the commands do stands in `commands`.

Messages go to stderr, data to files or stdout. Exit status: 0 done; 1 done, but some subjects could not be scored;
2 nothing could be done; 130 interrupted; 143 terminated. Nothing heavy is imported before a command needs it.
"""

import functools
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import typer

from response import __version__
from response.commands import about, images, reports, trial
from response.commands.logs import Log
from response.errors import OutputError, ResponseError, place_of_fault

NOTHING_DONE: Final = 2
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells do
TERMINATED: Final = 143  # 128 + SIGTERM
_WITH_TRACEBACK: Final = (
    "Add --debug to see the traceback; read it before you send it, for it may show data of patients."
)

app = typer.Typer(
    name="tumor-response",
    help="Tumour response from lesion measurements: RECIST 1.1, Choi and Chun, each decision with its reason.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich costs a tenth of a second at every start
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tumor-response {__version__}")
        raise typer.Exit


@app.callback()
def start(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before the command."""


class Terminated(BaseException):
    """The system asks the process to end; as with an interrupt, nothing partial may stay behind."""


def _terminate(signal_number: int, frame: object) -> None:  # noqa: ARG001
    raise Terminated


def guarded(command: Callable[..., int]) -> Callable[..., None]:
    """Return a command that ends with its exit status, and with one message instead of a traceback."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        log = Log(options.get("log", "text"), quiet=options.get("quiet", False))
        try:
            status = command(*args, **options)
        except ResponseError as error:
            told = str(error)
            if error.__cause__ is not None and not isinstance(error, OutputError):  # a fault of another package
                if options.get("debug"):
                    traceback.print_exception(error.__cause__)
                else:
                    told += f". {_WITH_TRACEBACK}"
            log.fail("failed", told, kind=type(error).__name__)
            status = NOTHING_DONE
        except KeyboardInterrupt:
            log.fail("interrupted", "interrupted; nothing partial is left behind")
            status = INTERRUPTED
        except Terminated:
            log.fail("terminated", "terminated; nothing partial is left behind")
            status = TERMINATED
        except BrokenPipeError:  # whoever read our output has seen enough
            sys.stdout = None
            status = 0
        except OSError as error:
            log.fail("failed", f"{error.filename or 'output'}: {error.strerror or error}", kind=type(error).__name__)
            status = NOTHING_DONE
            if error.filename is None:  # stdout cannot be written; it would fail again at the end
                sys.stdout = None
        except Exception as error:
            if options.get("debug"):
                traceback.print_exc()
            log.fail("unexpected", _unexpected(error), kind=type(error).__name__)
            status = NOTHING_DONE
        raise typer.Exit(status)

    return run


def _unexpected(error: Exception) -> str:
    return f"{place_of_fault(error)}: this is a fault of the program, not of your data. {_WITH_TRACEBACK}"


for _command in (
    trial.assess,
    trial.best,
    trial.check,
    trial.explain,
    images.measure,
    reports.sr,
    about.criteria,
    about.template,
    about.protocol,
):
    app.command()(guarded(_command))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Without the name of the program; those of the process if not given.

    Returns
    -------
    int
        The exit status.
    """
    if arguments is None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    try:
        app(args=None if arguments is None else list(arguments), prog_name="tumor-response")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else (NOTHING_DONE if stop.code else 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
