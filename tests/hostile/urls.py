"""Invalid addresses: every parameter with every type of invalid value."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

MARKUP = "<script>alert(1)</script>"
MARKDOWN = "**[bold](http://evil.example)**"
# Text written raw into the address, as a browser would send it.
NONSENSE = {
    "empty": "",
    "word": "abc",
    "negative": "-1",
    "huge": "9" * 30,
    "5,000 digits": "9" * 5000,
    "beyond floats": "1e400",
    "fractional": "3.7",
    "NaN": "nan",
    "infinite": "-inf",
    "hexadecimal": "0x10",
    "bool": "True",
    "list": "[1,2]",
    "commas": "1,2,3,4,5",
    "markup": quote(MARKUP),
    "markup, not encoded": MARKUP,
    "Markdown": quote(MARKDOWN),
    "path": "../../etc/passwd",
    "NUL": "%00",
    "half an encoding": "%E2%82",
    "no encoding": "%zz",
    "right to left": quote("\u202e1"),
    "other digits": quote("٣"),
    "emoji": quote("💥"),
    "spaces": "%20%0A%09",
    "percent twice": "%253Cb%253E",
    "formula": "%3D1%2B1",
}
# The rest of the address with which each parameter is read.
FORWARD = "input=zone_plate&height=8&width=8&channels=2"
WHAT_IF = f"view=what_if&{FORWARD}"
GRADIENTS = f"view=gradients&{FORWARD}"
DEPTH = f"view=depth&{FORWARD}"
SMALL_DEPTH = f"{DEPTH}&depth=2&runs=1"
TRAIN = "view=train&net_blocks=3"
NETWORK = "view=network&net_blocks=3"
TRAINED = "weights=network&net_blocks=3"
PARAMETERS = {
    **dict.fromkeys(("view", "seed", "features", "mode", "standardise"), FORWARD),
    **dict.fromkeys(("channel", "show", "scope", "details", "pin", "nobody"), FORWARD),
    **dict.fromkeys(("lesson", "present"), FORWARD),
    "step": f"lesson=the_sum&{FORWARD}",
    "input": "height=8&width=8",
    "height": "width=8",
    "width": "height=8",
    "channels": "input=zone_plate&height=8&width=8",
    "input_seed": "height=8&width=8",
    "widen": f"features=4&{FORWARD}",
    "warmup": f"mode=eval&{FORWARD}",
    "order": f"details=channels&{FORWARD}",
    "box": f"details=scatter&{FORWARD}",
    **dict.fromkeys(("file", "digest", "array", "side", "layout", "image"), "input=upload"),
    "statistics": "input=upload",
    **dict.fromkeys(("variant", "difference"), WHAT_IF),
    "factor": f"variant=scaled_skip&{WHAT_IF}",
    "gamma2": f"variant=zero_gamma&{WHAT_IF}",
    "out": f"variant=projection&{WHAT_IF}",
    "stride": f"variant=projection&{WHAT_IF}",
    "fix": f"variant=valid_padding&{WHAT_IF}",
    **dict.fromkeys(("gamma2", "shifted", "shift", "cotangent"), GRADIENTS),
    **dict.fromkeys(("curve", "batch_norm", "last_relu", "depth_details"), SMALL_DEPTH),
    "linen": f"details=code&{FORWARD}",
    "depth": f"{DEPTH}&runs=1",
    "runs": f"{DEPTH}&depth=2",
    "block_number": f"depth_details=one_block&{SMALL_DEPTH}",
    "stack": f"depth_details=one_block&{SMALL_DEPTH}",
    "ablation": f"depth_details=ablation&{SMALL_DEPTH}",
    "net_blocks": "view=train",
    "network_pin": NETWORK,
    **dict.fromkeys(("data", "net_width", "net_first", "net_second", "net_rate"), TRAIN),
    **dict.fromkeys(("net_seed", "net_steps", "net_batch", "net_optimiser"), TRAIN),
    **dict.fromkeys(("net_kernels", "net_survival", "train_details"), TRAIN),
    "gradient_step": f"train_details=gradients&{TRAIN}",
    **dict.fromkeys(("network", "net_step", "picture", "picture_from", "wrong_first"), NETWORK),
    **dict.fromkeys(("net_mode", "network_details"), NETWORK),
    "weights": FORWARD,
    "net_block": TRAINED,
    "data_digest": f"data=own&{TRAIN}",
    "network_from": NETWORK,
    "checkpoint_digest": f"network_from=checkpoint&{NETWORK}",
}


@dataclass(frozen=True)
class InvalidValue:
    """One parameter with an invalid value, and the rest of the address."""

    parameter: str
    kind: str
    rest: str

    @property
    def name(self) -> str:
        return f"{self.parameter}: {self.kind}"

    @property
    def setting(self) -> str:
        return f"{self.parameter}={NONSENSE[self.kind]}"


def addresses() -> list[list[InvalidValue]]:
    """Return invalid values in lists of those that can share an address, with the same rest.

    Each parameter has five types of invalid values in turn, and each type occurs with several
    parameters.
    """
    kinds = list(NONSENSE)
    found: dict[tuple[str, int], list[InvalidValue]] = {}
    for index, (parameter, rest) in enumerate(PARAMETERS.items()):
        for step in range(5):
            kind = kinds[(index * 5 + step) % len(kinds)]
            found.setdefault((rest, step), []).append(InvalidValue(parameter, kind, rest))
    return list(found.values())


def together(values: Sequence[InvalidValue]) -> str:
    """Return the query string of invalid values that share an address."""
    return "&".join([*(value.setting for value in values), values[0].rest])


def unusual_urls() -> dict[str, str]:
    """Return query strings, by name, that are unusual as a whole."""
    found = {}
    for parameter, rest in list(PARAMETERS.items())[:12]:
        found[f"{parameter}: repeated"] = f"{parameter}=1&{parameter}=2&{parameter}=&{rest}"
    found["nothing but signs"] = "&&==&?#;=;&"
    found["ten thousand parameters"] = "&".join(f"p{n}={n}" for n in range(10_000))
    found["long"] = "seed=" + "1" * 100_000
    found["all at once"] = "&".join(f"{name}={quote(MARKUP)}" for name in PARAMETERS)
    found["largest input"] = "height=2048&width=2048&channels=512"
    return found


def urls() -> dict[str, str]:
    """Return all query strings by name, with one invalid value each."""
    alone = [value for values in addresses() for value in values]
    return {value.name: together([value]) for value in alone} | unusual_urls()
