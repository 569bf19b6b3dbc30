"""`make table`: train over depths and seeds, and write docs/training.md."""

from explorer import TrainingSettings, digits
from tests.helpers import ROOT
from tests.training_table.document import document
from tests.training_table.runs import pairs

DEPTHS, SEEDS = (3, 8, 16, 27), range(5)


def main() -> None:
    found = []
    for pair in pairs(digits(), DEPTHS, SEEDS):
        found.append(pair)
        print(f"{pair.blocks} blocks, seed {pair.seed}: {pair.loss}", flush=True)
    text = document(found, digits(), TrainingSettings())
    (ROOT / "docs/training.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
