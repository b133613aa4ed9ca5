from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from dragoman.domain.caller import Caller, Quota
from dragoman.store.database import open_database
from dragoman.store.tickets import Ticket, TicketStore

TICKET = Ticket(Caller("acme", "k_1", Quota(3, 12.5, 1 << 40)), "https://captions.example.org")


@pytest.fixture
def servers(url: str) -> Iterator[tuple[Engine, Engine]]:
    engines = open_database(url), open_database(url)
    yield engines
    for engine in engines:
        engine.dispose()


def test_a_ticket_of_one_server_opens_a_stream_at_another_once(servers: tuple[Engine, Engine]) -> None:
    one, other = map(TicketStore, servers)
    one.add("d1", TICKET, 30)
    assert other.redeem("d1") == TICKET
    assert one.redeem("d1") is None
    assert other.redeem("d1") is None


def test_of_many_who_show_it_at_once_one_comes_in(servers: tuple[Engine, Engine]) -> None:
    stores = [TicketStore(engine) for engine in servers]
    stores[0].add("d1", TICKET, 30)
    with ThreadPoolExecutor(8) as threads:
        let_in = list(threads.map(lambda at: stores[at % 2].redeem("d1"), range(16)))
    assert [each for each in let_in if each] == [TICKET]


def test_a_ticket_ends_and_is_swept(servers: tuple[Engine, Engine]) -> None:
    store = TicketStore(servers[0])
    store.add("old", TICKET, -1)
    assert store.redeem("old") is None
    store.add("old", TICKET, -1)
    store.add("new", Ticket(Caller(), None), 30)
    with servers[0].connect() as connection:
        kept = connection.exec_driver_sql("SELECT digest FROM tickets").scalars().all()
    assert kept == ["new"]
    assert store.redeem("new") == Ticket(Caller(), None)


def test_a_ticket_of_a_call_is_good_at_every_server_until_the_call_is_over(servers: tuple[Engine, Engine]) -> None:
    one, other = map(TicketStore, servers)
    one.add("d1", TICKET, 1)
    assert [store.prolong("d1", 3_600) for store in (other, one, other)] == [TICKET] * 3
    assert one.redeem("d1") == TICKET
    assert other.prolong("d1", 3_600) is None


def test_a_ticket_that_has_ended_is_not_prolonged(servers: tuple[Engine, Engine]) -> None:
    store = TicketStore(servers[0])
    store.add("old", TICKET, -1)
    assert store.prolong("old", 3_600) is None
