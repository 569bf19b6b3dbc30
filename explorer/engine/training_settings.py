"""The settings of a training, and their limits."""

from dataclasses import dataclass
from typing import get_args

from explorer.engine.stochastic_depth import check_survival
from explorer.engine.training_step import Optimiser
from explorer.errors import InputError, check_choice, check_integer, check_real
from explorer.inputs.random_streams import check_seed
from explorer.model.network import MAX_BLOCKS, MAX_WIDTH, MIN_WIDTH, NETWORK_VARIANTS
from explorer.model.network_weights import Initialiser

MAX_STEPS, MAX_BATCH, MAX_LEARNING_RATE = 5_000, 1_024, 10.0


@dataclass(frozen=True)
class TrainingSettings:
    """What fixes a training, apart from the data.

    Attributes:
        blocks: number of blocks, 1 … 54.
        width: channels of the residual stream, 4 … 32.
        variant: one of `NETWORK_VARIANTS`; "no_skip" is the plain network, and "zero_gamma" is
            v1 with γ₂ = 0 at the start (Goyal et al. 2017).
        steps: number of steps, 1 … 5000.
        batch: pictures in a step, 2 … 1024.
        learning_rate: at the start, above 0, at most 10; it falls to 0 as a cosine.
        seed: integer 0 … 2³²−1, fixes the weights and the batches.
        optimiser: "sgd" (momentum 0.9) or "adam".
        initialiser: "he" or "lecun".
        survival: probability that the last block's F(x) is kept in a step; that of block l of L
            is 1 − l / L · (1 − survival) (Huang et al. 2016). 1 drops nothing.
    """

    blocks: int = 8
    width: int = 8
    variant: str = "v1"
    steps: int = 180
    batch: int = 128
    learning_rate: float = 0.1
    seed: int = 0
    optimiser: Optimiser = "sgd"
    initialiser: Initialiser = "he"
    survival: float = 1.0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("blocks", 1, MAX_BLOCKS),
            ("width", MIN_WIDTH, MAX_WIDTH),
            ("steps", 1, MAX_STEPS),
            ("batch", 2, MAX_BATCH),
        ):
            object.__setattr__(self, name, check_integer(name, getattr(self, name), low, high))
        object.__setattr__(self, "seed", check_seed(self.seed))
        check_choice("variant", self.variant, NETWORK_VARIANTS)
        check_choice("optimiser", self.optimiser, get_args(Optimiser))
        check_choice("initialiser", self.initialiser, get_args(Initialiser))
        rate = check_real("learning_rate", self.learning_rate)
        if not 0 < rate <= MAX_LEARNING_RATE:
            raise InputError(
                f"learning_rate must be above 0 and at most {MAX_LEARNING_RATE:g}, got {rate:g}."
            )
        object.__setattr__(self, "learning_rate", rate)
        object.__setattr__(self, "survival", check_survival(self.survival, self.variant))
