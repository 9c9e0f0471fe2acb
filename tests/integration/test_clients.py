"""Partners' own clients connect over TLS by certificate or password, and run text, prepared and binary queries.

Each asks the small shop for the same people, so that what one driver gets, all get.
"""
import asyncio
import datetime
import re
import ssl

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras
import pytest

from harness import clients

AGENTS = ["acme.cert", "acme.job"]
PEOPLE = "SELECT person_id, full_name, phone, born FROM person WHERE person_id <= 5 ORDER BY person_id"
EXPECTED = [(n, f"Person {n}", f"***{n:04}", datetime.date(1950, 1, 1) + datetime.timedelta(days=100 * n))
            for n in (1, 2, 3, 5)]  # 4 lives in Bath, which acme does not see


@pytest.mark.parametrize("agent", AGENTS)
def test_psql(shop_gateway, agent):
    done = shop_gateway.psql(agent, PEOPLE)
    expected = "".join(f"{n}|{name}|{phone}|{born}\n" for n, name, phone, born in EXPECTED)
    assert (done.stdout, done.stderr, done.returncode) == (expected, "", 0)


def test_psql_shows_only_granted_columns(shop_gateway):
    done = shop_gateway.psql("acme.cert", "SELECT * FROM person WHERE person_id = 1", flags=("-A",))
    assert done.stdout.splitlines()[0] == "person_id|full_name|phone|born|town", done.stderr


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("binary", [False, True])
def test_psycopg(shop_gateway, agent, binary):
    with shop_gateway.connect(agent) as connection:
        assert connection.execute(PEOPLE, binary=binary).fetchall() == EXPECTED
        assert connection.execute(PEOPLE, binary=binary, prepare=True).fetchall() == EXPECTED
        for n, name, phone, born in EXPECTED * 3:  # the sixth run is prepared on the server
            row = connection.execute("SELECT full_name, phone, born FROM person WHERE person_id = %s", (n,),
                                     binary=binary).fetchone()
            assert row == (name, phone, born)


def test_psycopg_pipelines(shop_gateway):
    with shop_gateway.connect("acme.cert") as connection, connection.pipeline():
        cursors = [connection.execute("SELECT full_name FROM person WHERE person_id = %s", (n,)) for n in (1, 2, 3)]
        assert [cursor.fetchone()[0] for cursor in cursors] == ["Person 1", "Person 2", "Person 3"]


def test_psycopg_streams_row_by_row(shop_gateway):
    with shop_gateway.connect("acme.cert") as connection:
        cursor = connection.cursor()
        rows = list(cursor.stream("SELECT purchase_id FROM purchase ORDER BY purchase_id"))
    assert (len(rows), rows[0], rows[-1]) == (1000, (1,), (1000,))


def test_a_transaction_survives_a_savepoint_after_a_refusal(shop_gateway):
    with shop_gateway.connect("acme.cert", autocommit=False) as connection:
        connection.execute("SELECT 1")
        with pytest.raises(psycopg.errors.UndefinedColumn):
            with connection.transaction():
                connection.execute("SELECT secret FROM person")
        assert connection.execute("SELECT full_name FROM person WHERE person_id = 1").fetchone() == ("Person 1",)


@pytest.mark.parametrize("agent", AGENTS)
def test_psycopg2(shop_gateway, agent):
    connection = shop_gateway.connect2(agent)
    with connection.cursor(cursor_factory=psycopg2.extras.DictCursor) as cursor:
        cursor.execute(PEOPLE)
        assert [tuple(row) for row in cursor.fetchall()] == EXPECTED
        cursor.execute("SELECT full_name FROM person WHERE person_id = %s", (2,))
        assert cursor.fetchone()["full_name"] == "Person 2"
    connection.close()


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("direct", [False, True])
def test_asyncpg(shop_gateway, agent, direct):
    """After an SSLRequest, and with TLS at once, for which its user names the protocol."""
    parameters = shop_gateway.parameters(agent)
    context = ssl.create_default_context(cafile=parameters["sslrootcert"])
    context.set_alpn_protocols(["postgresql"])
    if "password" not in parameters:
        context.load_cert_chain(parameters["sslcert"], parameters["sslkey"])

    async def talk():
        connection = await asyncpg.connect(host="localhost", port=shop_gateway.port, user=agent, ssl=context,
                                           database=shop_gateway.database, password=parameters.get("password"), direct_tls=direct)
        assert [tuple(row) for row in await connection.fetch(PEOPLE)] == EXPECTED
        for n, *expected in EXPECTED:  # prepared and binary, as all that asyncpg does
            row = await connection.fetchrow("SELECT full_name, phone, born FROM person WHERE person_id = $1", n)
            assert [*row] == expected
        async with connection.transaction():
            rows = [row["person_id"] async for row in connection.cursor("SELECT person_id FROM person ORDER BY person_id")]
        assert len(rows) == 150
        with pytest.raises(asyncpg.PostgresError, match="secret"):
            await connection.fetch("SELECT secret FROM person")
        await connection.close()

    asyncio.run(talk())


@pytest.mark.parametrize("agent", AGENTS)
def test_node_postgres(shop_gateway, agent):
    told = clients.node(shop_gateway, agent, """
        const client = new pg.Client(config);
        await client.connect();
        const text = await client.query('SELECT full_name, phone FROM person WHERE person_id = 1');
        const rows = [];
        for (const id of [1, 2, 3])
            rows.push((await client.query({name: 'by-id', text: 'SELECT full_name FROM person WHERE person_id = $1',
                                           values: [id]})).rows[0].full_name);
        const binary = await client.query({text: 'SELECT person_id::int4 AS id FROM person WHERE person_id = $1',
                                           values: [3], binary: true});
        let refusal = null;
        await client.query('SELECT secret FROM person').catch(error => { refusal = error.code; });
        await client.end();
        console.log(JSON.stringify({fields: text.fields.map(f => f.name), text: text.rows, rows,
                                    binary: binary.rows[0].id, refusal}));
    """)
    assert told == {"fields": ["full_name", "phone"], "text": [{"full_name": "Person 1", "phone": "***0001"}],
                    "rows": ["Person 1", "Person 2", "Person 3"], "binary": 3, "refusal": "42703"}


@pytest.mark.parametrize("agent", AGENTS)
def test_jdbc(shop_gateway, agent):
    output = clients.jdbc(shop_gateway, agent, "Queries")
    people = [1, 2, 3, 5, 6, 7]
    total = sum(n * 10000 + (datetime.date(1950, 1, 1) + datetime.timedelta(days=100 * n)).year for n in people)
    assert output.splitlines() == ["columns 1", "text Person 1", f"prepared {total}", "portions 1000", "refused 42703"]


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_pgbench(shop_gateway, mode):
    report = clients.pgbench(shop_gateway, "acme.job", "\\set id random(1, 200)\n"
                             "SELECT full_name FROM person WHERE person_id = :id;\n",
                             "-M", mode, "-c", "4", "-j", "2", "-t", "50")
    assert re.search(r"number of transactions actually processed: 200/200", report), report
    assert "number of failed transactions: 0" in report, report
