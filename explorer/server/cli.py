"""The console command `residual-block-explorer`, which starts the page from any folder."""

import sys
from functools import partial
from pathlib import Path

COMMAND = "residual-block-explorer"


def main_script() -> Path:
    """Return the path of `app.py`: the copy in an installed wheel, else the repository's.

    Streamlit reads `.streamlit/config.toml` beside it.
    """
    installed = Path(__file__).parent / "_app" / "app.py"
    return installed if installed.exists() else Path(__file__).parents[2] / "app.py"


def main() -> None:
    """Run `streamlit run` with `main_script` and the options of the command line."""
    try:
        import cachetools  # noqa: F401
        import click
        from streamlit.web.cli import main_run
    except ModuleNotFoundError as error:
        sys.exit(
            f"The page needs packages that are not installed ({error}); "
            f"run: pip install '{COMMAND}[page]'"
        )
    assert main_run.callback
    click.Command(
        COMMAND,
        params=[parameter for parameter in main_run.params if parameter.name != "target"],
        callback=partial(main_run.callback, target=str(main_script())),
        help="Start the page. The options are those of `streamlit run`.",
    )()
