"""Train the networks that the package ships: `make networks`."""

from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

from explorer import digits, train
from explorer.engine.shipped_runs import file_name, shipped_settings
from explorer.engine.training_run import TrainingRun

FOLDER = Path(__file__).parent.parent / "explorer" / "data" / "networks"
MOST_SNAPSHOTS = 8  # blocks; deeper networks are shipped at the first and the last step


def shipped(run: TrainingRun) -> TrainingRun:
    """Return a run with the snapshots that are shipped."""
    if run.settings.blocks <= MOST_SNAPSHOTS:
        return run
    kept = {step: run.networks[step] for step in (run.snapshots[0], run.snapshots[-1])}
    return replace(run, networks=MappingProxyType(kept))


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for settings in shipped_settings():
        run = shipped(train(digits(), **asdict(settings)))
        run.save(FOLDER / file_name(settings))
        loss = run.history["train loss"][-1]
        print(f"{file_name(settings)}: training loss {loss:.3f} in the last step")


if __name__ == "__main__":
    main()
