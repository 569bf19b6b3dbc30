from explorer import VARIANTS
from explorer.model.relatives import relatives
from explorer.model.variant_groups import GROUPS
from explorer.model.variants import projection


def test_every_variant_but_v1_is_in_one_group() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(grouped) == ({*VARIANTS} | {*relatives(projection(8, 2))}) - {"v1"}
