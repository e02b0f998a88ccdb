"""Lists of addresses as parameters write them."""

import pytest

from experiments.scenario.addresses import is_loopback, read_list


def test_a_list_may_have_ranges() -> None:
    """Each address once, in the order given, of either kind."""
    assert read_list("") == ()
    assert read_list("192.0.2.9, 192.0.2.7-192.0.2.9,2001:db8::1") == ("192.0.2.9", "192.0.2.7", "192.0.2.8", "2001:db8::1")


@pytest.mark.parametrize("text", ["eth0", "192.0.2.0/28", "192.0.2.9-192.0.2.7", "192.0.2.1-::2", "10.0.0.0-10.255.255.255"])
def test_what_is_no_list_of_addresses_is_refused(text: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(ValueError, match="address"):
        read_list(text)


def test_the_loopback_is_this_machine_and_a_name_may_be_any() -> None:
    """Only what certainly leads here counts."""
    here = ("http://localhost:1", "http://127.8.8.8", "http://[::1]:80")
    assert [is_loopback(url) for url in (*here, "http://here.test", "http://192.0.2.1", "")] == [True] * 3 + [False] * 3
