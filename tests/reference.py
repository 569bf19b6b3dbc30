"""An oracle for every stage of the block, in NumPy loops and float64.

It imports nothing of the explorer and follows the formulas in the papers:
He et al. 2015, Fig. 2, and Ioffe & Szegedy 2015, Algorithm 1.
"""

import numpy as np


def conv(x: np.ndarray, kernel: np.ndarray, stride: int = 1, padding: int = 1) -> np.ndarray:
    """Cross-correlation of any kernel size, `padding` rings of zeros around x, no bias."""
    size = kernel.shape[0]
    padded = np.pad(x.astype(np.float64), ((padding, padding), (padding, padding), (0, 0)))
    rows = (padded.shape[0] - size) // stride + 1
    cols = (padded.shape[1] - size) // stride + 1
    out = np.zeros((rows, cols, kernel.shape[3]))
    for i in range(rows):
        for j in range(cols):
            window = padded[i * stride : i * stride + size, j * stride : j * stride + size]
            for d in range(kernel.shape[3]):
                out[i, j, d] = (window * kernel[:, :, :, d]).sum()
    return out


def max_pool(x: np.ndarray, size: int, stride: int, padding: int) -> np.ndarray:
    """Largest value of every size×size window, with `padding` rings of −∞ around x."""
    edge = ((padding, padding), (padding, padding), (0, 0))
    padded = np.pad(x.astype(np.float64), edge, constant_values=-np.inf)
    rows = (padded.shape[0] - size) // stride + 1
    cols = (padded.shape[1] - size) // stride + 1
    out = np.zeros((rows, cols, x.shape[2]))
    for i in range(rows):
        for j in range(cols):
            window = padded[i * stride : i * stride + size, j * stride : j * stride + size]
            out[i, j] = window.max(axis=(0, 1))
    return out


def average_pool(x: np.ndarray, size: int) -> np.ndarray:
    """Mean of every size×size tile; a tile that x ends in has fewer pixels."""
    rows, cols = -(-x.shape[0] // size), -(-x.shape[1] // size)
    out = np.zeros((rows, cols, x.shape[2]))
    for i in range(rows):
        for j in range(cols):
            tile = x[i * size : (i + 1) * size, j * size : (j + 1) * size]
            out[i, j] = tile.astype(np.float64).mean(axis=(0, 1))
    return out


def batch_norm_of(v: np.ndarray, gamma: float = 1.0) -> np.ndarray:
    """BatchNorm in train mode with β = 0."""
    mean, var = statistics(v)
    return batch_norm(v, mean, var, np.full(mean.size, gamma), np.zeros(mean.size))


def conv3x3(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Cross-correlation, stride 1, one ring of zeros around x."""
    height, width, channels = x.shape
    out = np.zeros((height, width, kernel.shape[3]))
    for di in (-1, 0, 1):
        for dj in (-1, 0, 1):
            for c in range(channels):
                for i in range(max(0, -di), min(height, height - di)):
                    lo, hi = max(0, -dj), min(width, width - dj)
                    row = x[i + di, lo + dj : hi + dj, c]
                    out[i, lo:hi] += np.outer(row, kernel[di + 1, dj + 1, c])
    return out + bias


def batch_norm(
    v: np.ndarray,
    mean: np.ndarray,
    var: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    epsilon: float = 1e-5,
) -> np.ndarray:
    """(v − mean)/√(var + epsilon) · gamma + beta, channel by channel."""
    out = np.zeros_like(v)
    for c in range(v.shape[-1]):
        out[..., c] = (v[..., c] - mean[c]) / np.sqrt(var[c] + epsilon) * gamma[c] + beta[c]
    return out


def statistics(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and biased variance of each channel over rows and columns, and over images."""
    mean = np.array([v[..., c].mean() for c in range(v.shape[-1])])
    var = np.array([((v[..., c] - mean[c]) ** 2).mean() for c in range(v.shape[-1])])
    return mean, var


def relu(v: np.ndarray) -> np.ndarray:
    return np.where(v > 0, v, 0.0)


def stages(
    x: np.ndarray,
    kernels: tuple[np.ndarray, np.ndarray],
    biases: tuple[np.ndarray, np.ndarray],
    running: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None,
    epsilon: float = 1e-5,
) -> dict[str, np.ndarray]:
    """All stages with γ = 1 and β = 0; `running` ((mean, var) a norm) means eval mode."""
    x = x.astype(np.float64)
    one, zero = np.ones(x.shape[2]), np.zeros(x.shape[2])
    conv1 = conv3x3(x, kernels[0], biases[0])
    mean, var = running[0] if running else statistics(conv1)
    bn1 = batch_norm(conv1, mean, var, one, zero, epsilon)
    relu1 = relu(bn1)
    conv2 = conv3x3(relu1, kernels[1], biases[1])
    mean, var = running[1] if running else statistics(conv2)
    bn2 = batch_norm(conv2, mean, var, one, zero, epsilon)
    add = bn2 + x
    return {
        "x": x,
        "conv1": conv1,
        "bn1": bn1,
        "relu1": relu1,
        "conv2": conv2,
        "bn2": bn2,
        "add": add,
        "out": relu(add),
    }


def batch_stages(
    x: np.ndarray, kernels: tuple[np.ndarray, np.ndarray], biases: tuple[np.ndarray, np.ndarray]
) -> dict[str, np.ndarray]:
    """All stages of a batch `(N, H, W, C)` in train mode with γ = 1 and β = 0."""
    x = x.astype(np.float64)
    one, zero = np.ones(x.shape[-1]), np.zeros(x.shape[-1])
    conv1 = np.stack([conv3x3(image, kernels[0], biases[0]) for image in x])
    bn1 = batch_norm(conv1, *statistics(conv1), one, zero)
    relu1 = relu(bn1)
    conv2 = np.stack([conv3x3(image, kernels[1], biases[1]) for image in relu1])
    bn2 = batch_norm(conv2, *statistics(conv2), one, zero)
    stages = {"x": x, "conv1": conv1, "bn1": bn1, "relu1": relu1, "conv2": conv2, "bn2": bn2}
    return {**stages, "add": bn2 + x, "out": relu(bn2 + x)}
