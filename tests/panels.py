"""The basic block's panels in reading order, and the stage that each shows."""

PANELS = {
    "x": "x",
    "conv1": "conv1",
    "bn1": "bn1",
    "relu1": "relu1",
    "conv2": "conv2",
    "bn2": "bn2",
    "identity": "x",
    "add": "add",
    "out": "out",
}
