"""ResNet-20 for CIFAR-10 with zero padding in the shortcuts (He et al. 2015, option A)."""

from typing import Any, Literal

import torch
from torch import nn

ZeroChannels = Literal["around", "after"]


class Block(nn.Module):  # type: ignore[misc]
    """A basic block; where it halves the picture, zeros are its shortcut's new channels."""

    def __init__(self, channels: int, features: int, zeros: ZeroChannels, epsilon: float) -> None:
        super().__init__()
        new = features - channels
        self.stride = 2 if new else 1
        self.before = new // 2 if zeros == "around" else 0
        self.after = new - self.before
        self.conv1 = nn.Conv2d(channels, features, 3, self.stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(features, eps=epsilon)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(features, features, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(features, eps=epsilon)
        self.relu2 = nn.ReLU()

    def forward(self, x: Any) -> Any:
        residual = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        every_second = x[:, :, :: self.stride, :: self.stride]
        shortcut = nn.functional.pad(every_second, (0, 0, 0, 0, self.before, self.after))
        return self.relu2(residual + shortcut)


class ResNet20(nn.Module):  # type: ignore[misc]
    """Three stages of three blocks, with the names of tensors that CIFAR code uses."""

    def __init__(self, zeros: ZeroChannels, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16, eps=epsilon)

        def stage(channels: int, features: int) -> Any:
            first = Block(channels, features, zeros, epsilon)
            return nn.Sequential(
                first, *(Block(features, features, zeros, epsilon) for _ in range(2))
            )

        self.layer1, self.layer2, self.layer3 = stage(16, 16), stage(16, 32), stage(32, 64)
        self.linear = nn.Linear(64, 10)

    def forward(self, images: Any) -> Any:
        x = torch.relu(self.bn1(self.conv1(images)))
        return self.linear(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))
