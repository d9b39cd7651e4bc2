"""Addresses, tokens and cells that must not do anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from iyu.console.main import app
from iyu.console.web.queries.answer import Answer
from iyu.console.web.responses import csv_text
from iyu.console.web.security import Gate, check_address, is_loopback, own_address
from iyu.schemas.contract.errors import SettingsError


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "reviews.example.com"])
def test_others_reach_the_page_with_a_token_only(host: str):
    with pytest.raises(SettingsError, match="--token"):
        check_address(host, None)
    check_address(host, "long-enough-to-be-no-guess")
    outcome = CliRunner().invoke(app, ["web", "--host", host, "--database", "sqlite:///none.db"])
    assert outcome.exit_code == 2
    assert "--token" in outcome.stderr


def test_loopback_needs_none():
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.9.9.9")))
    check_address("127.0.0.1", None)


def test_a_token_that_can_be_guessed_is_refused():
    with pytest.raises(SettingsError, match="16 characters"):
        Gate("secret")


@given(st.text(max_size=40))
def test_the_entrance_leads_to_this_page(address: str):
    to = own_address(address)
    assert to.startswith("/")
    assert not to.startswith(("//", "/\\"))
    assert "\n" not in to


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(cell: str):
    text = csv_text(Answer(("text", "number"), [{"text": cell, "number": -0.5}], ""))
    assert f"'{cell}" in text
    assert ",-0.5" in text  # a number stays one


def test_a_database_that_is_not_there_is_one_line(tmp_path):
    outcome = CliRunner().invoke(app, ["web", "--database", f"sqlite:///{tmp_path / 'no.db'}"])
    assert outcome.exit_code == 2
    assert "iyu db upgrade" in outcome.stderr
    assert not (tmp_path / "no.db").exists()
