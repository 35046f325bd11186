"""The shop of the folder above, whose purchases and items have an undo window."""

from __future__ import annotations

import pytest
from tests.holdfast.enforcement.undo.window import TAKEN, kept, with_window
from tests.holdfast.retention.shop import Shop


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.set_policy(with_window)
    return shop


@pytest.fixture
def full_shop(shop: Shop) -> Shop:
    """Six purchases of two customers and four lines of them, all to be taken by the first night."""
    shop.purchases([1, 2, 3], bought_on=TAKEN, note="to be wrapped; 'as a gift', \\ \t \N{GREEK SMALL LETTER PHI}")
    shop.purchases([4, 5, 6], bought_on=TAKEN, customer_no=2)
    shop.add("item", *({"purchase_id": one, "line_no": 1, "label": "a thing"} for one in (1, 2, 4, 5)))
    return shop


@pytest.fixture
def kept_shop(full_shop: Shop) -> Shop:
    """The morning after: run 1 has taken all ten, which are kept, and nothing is left."""
    full_shop.night()
    assert full_shop.contents("purchase") == full_shop.contents("item") == []
    assert kept(full_shop) == {"2024-03-09": 10}
    return full_shop
