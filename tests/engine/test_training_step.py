import jax
import numpy as np

from explorer.engine.training_step import training_step, transformation
from tests.short_runs import pictures, short_run


def test_compiled_barriers_separate_convolutions_from_what_is_before_them() -> None:
    """XLA fuses across barriers that it has removed, and then a step takes twice as long."""
    network = short_run().at(0)
    memory = transformation("sgd").init(network.parameters)
    state = jax.tree.map(np.array, (network.parameters, network.statistics, memory))
    batch = pictures().train_images, pictures().train_labels
    lowered = training_step.lower(
        network.spec.structure(), "sgd", state, np.float32(0.1), *batch, None
    )
    convolutions = 1 + 2 * network.spec.blocks
    assert (lowered.as_text().count("stablehlo.optimization_barrier")) >= convolutions
    compiled = lowered.compile().as_text()
    assert compiled
    assert compiled.count(" opt-barrier(") >= convolutions
