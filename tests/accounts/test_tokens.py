from pytest_django import Settings

from accounts.services import tokens
from exchange.foundation.ids import new_id


def test_a_token_names_its_key() -> None:
    public_id = new_id("key")

    assert tokens.id_of(tokens.new_secret(public_id)) == public_id


def test_two_tokens_of_one_key_differ() -> None:
    public_id = new_id("key")

    assert tokens.new_secret(public_id) != tokens.new_secret(public_id)


def test_a_slip_of_one_letter_is_found_without_the_database() -> None:
    token = tokens.new_secret(new_id("key"))

    for place in range(len(token)):
        wrong = "0" if token[place] != "0" else "1"
        assert tokens.id_of(token[:place] + wrong + token[place + 1 :]) is None


def test_what_is_no_token_has_no_id() -> None:
    for text in ("", ".", "key_", "key_.x", "a" * 78, "é" * 78, "key_" + "0" * 26 + "." + "0" * 46):
        assert tokens.id_of(text) is None


def test_every_pepper_in_force_gives_an_hmac_the_newest_first(settings: Settings) -> None:
    settings.API_KEY_PEPPER = "new,old"
    both = tokens.hmacs("a token")
    settings.API_KEY_PEPPER = "old"

    assert tokens.hmacs("a token") == both[1:]
    assert both[0] != both[1]
