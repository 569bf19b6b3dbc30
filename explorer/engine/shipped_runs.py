"""The training runs on the digits that the package ships; `make networks` makes them."""

from importlib.resources import as_file, files

from explorer.engine.checkpoint import load_run
from explorer.engine.training_run import TrainingRun
from explorer.engine.training_settings import TrainingSettings

DEPTHS = 3, 8, 27
VARIANTS = "v1", "no_skip"


def shipped_settings() -> tuple[TrainingSettings, ...]:
    """Return the settings of all shipped runs."""
    return tuple(
        TrainingSettings(blocks=blocks, variant=variant)
        for blocks in DEPTHS
        for variant in VARIANTS
    )


def shipped_run(settings: TrainingSettings) -> TrainingRun | None:
    """Return the shipped run with these settings; None if there is none."""
    if settings not in shipped_settings():
        return None
    with as_file(files("explorer.data") / "networks" / file_name(settings)) as path:
        return load_run(path)


def file_name(settings: TrainingSettings) -> str:
    """Return the name of the file of a shipped run."""
    return f"{settings.variant}_{settings.blocks}.safetensors"
