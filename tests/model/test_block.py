import jax.numpy as jnp
import numpy as np
from flax import nnx

from explorer import STAGES, BasicBlock
from tests.helpers import noise


def test_call_returns_the_last_stage() -> None:
    x = jnp.asarray(noise((4, 5, 2)))
    stages = BasicBlock(2, nnx.Rngs(1)).stages(x, use_running_average=False)
    out = BasicBlock(2, nnx.Rngs(1))(x, use_running_average=False)
    assert tuple(stages) == STAGES
    np.testing.assert_array_equal(out, stages["out"])


def by_hand(
    kernel1: np.ndarray, kernel2: np.ndarray, x: list[list[float]]
) -> dict[str, np.ndarray]:
    """A block of one channel with kernels set by hand, in eval mode and fresh: the
    norms then only divide by √(1 + 1e-5)."""
    block = BasicBlock(1, nnx.Rngs(0))
    block.conv1.kernel[...] = jnp.asarray(kernel1, jnp.float32).reshape(3, 3, 1, 1)
    block.conv2.kernel[...] = jnp.asarray(kernel2, jnp.float32).reshape(3, 3, 1, 1)
    stages = block.stages(jnp.asarray(x, jnp.float32)[:, :, None], use_running_average=True)
    return {name: np.asarray(stage)[:, :, 0] for name, stage in stages.items()}


CENTRE = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])


def test_three_by_three_by_hand() -> None:
    x = [[1.0, -2.0, 0.0], [3.0, -1.0, 2.0], [0.0, 1.0, -3.0]]
    stages = by_hand(CENTRE, 2 * CENTRE, x)
    # F(x) = 2·ReLU(x)/1.00001, so out is about 3x where x > 0 and ReLU(x) = 0 elsewhere.
    np.testing.assert_allclose(
        stages["out"], [[3.0, 0.0, 0.0], [9.0, 0.0, 6.0], [0.0, 3.0, 0.0]], rtol=2e-5
    )
    np.testing.assert_allclose(stages["relu1"][0], [0.999995, 0, 0], rtol=1e-6)


def test_same_padding_by_hand() -> None:
    stages = by_hand(np.ones((3, 3)), CENTRE, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    np.testing.assert_allclose(
        stages["conv1"], [[12.0, 21.0, 16.0], [27.0, 45.0, 33.0], [24.0, 39.0, 28.0]]
    )


def test_kernel_is_correlated_not_flipped() -> None:
    left = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])  # looks at the left neighbour
    stages = by_hand(left, CENTRE, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    np.testing.assert_allclose(stages["conv1"], [[0.0, 1.0, 2.0], [0.0, 4.0, 5.0]])
