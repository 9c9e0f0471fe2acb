"""What psql's commands show a partner, word for word: its datasets, itself, and what PostgreSQL brings."""
import os
import pty
import select
import subprocess

import pytest

SHOWN = {  # command: everything that it prints, unaligned and without a title
    "\\dt": "public|article|table|acme.cert\npublic|person|table|acme.cert\npublic|purchase|table|acme.cert\n",
    "\\d": "public|article|table|acme.cert\npublic|person|table|acme.cert\npublic|purchase|table|acme.cert\n",
    "\\d purchase": "purchase_id|bigint||not null|\nperson_id|bigint|||\nitem|text|||\npence|integer|||\n",
    "\\dt+ person": "public|person|table|acme.cert|permanent|heap|0 bytes|about person\n",
    "\\dn": "public|acme.cert\n",
    "\\df": "",
    "\\df lower": "pg_catalog|lower|anyelement|anymultirange|func\npg_catalog|lower|anyelement|anyrange|func\npg_catalog|lower|text|text|func\n",
    "\\du": "acme.cert||{}\n",
    "\\dT": "",
    "\\dT date": "pg_catalog|date|\n",
    "\\di": "public|article_pkey|index|acme.cert|article\npublic|person_pkey|index|acme.cert|person\n"
            "public|purchase_pkey|index|acme.cert|purchase\n",
    "\\dv": "",
    "\\z person": "public|person|table|acme.cert=r/acme.cert||\n",
    "\\sf random": "CREATE OR REPLACE FUNCTION pg_catalog.random()\n RETURNS double precision\n LANGUAGE internal\n"
                   " PARALLEL RESTRICTED STRICT\nAS $function$drandom$function$\n",
}
REFUSED = {  # command: what psql prints as the error
    "\\sf nosuch": "ERROR:  no function or operator has this name and takes these types\n",
    "\\sf abs(integer)": 'ERROR:  casting to type "regprocedure" is not allowed\n',
    "\\sv person": '"public.person" is not a view\n',
    "\\d nosuch": 'Did not find any relation named "nosuch".\n',
}


def test_commands(shop_gateway):
    for command, shown in SHOWN.items():
        done = shop_gateway.psql("acme.cert", command)
        assert (done.stdout, done.stderr.replace("Did not find any relations.\n", "")) == (shown, ""), command


@pytest.mark.parametrize("command", REFUSED)
def test_what_a_command_cannot(shop_gateway, command):
    assert shop_gateway.psql("acme.cert", command).stderr == REFUSED[command]


def test_list_of_databases(shop_gateway):
    name = shop_gateway.database
    assert shop_gateway.psql("acme.cert", "\\l").stdout == f"{name}|acme.cert|UTF8|C|C||libc|\n"


def test_connection(shop_gateway):
    told = shop_gateway.psql("acme.cert", "\\conninfo").stdout.splitlines()
    assert told[0] == (f'You are connected to database "{shop_gateway.database}" as user "acme.cert" on host "localhost" (address "127.0.0.1") '
                       f'at port "{shop_gateway.port}".')
    assert told[1].startswith("SSL connection (protocol: TLSv1.3")


COMPLETED = {  # what is typed before the tabulator key: what the line becomes
    "SELECT * FROM pe": "SELECT * FROM person ",
    "SELECT * FROM public.pu": "SELECT * FROM public.purchase ",
    "\\d art": "\\d article",
    "UPDATE person SET bo": "UPDATE person SET born ",
    "SELECT pence FROM purchase ORDER BY it": "SELECT pence FROM purchase ORDER BY item ",
    "\\df lower_": "\\df lower_in",
    "SET timez": "SET timezone ",
    "TABLE vaul": "TABLE vaul",
}


@pytest.fixture(scope="module")
def terminal(shop_gateway):
    """psql at a terminal; only there it completes."""
    environment = dict(os.environ, TERM="dumb", INPUTRC="/dev/null", PSQL_HISTORY="/dev/null")
    command = ["psql", "-X", "-v", "PROMPT1=> ", "-d", shop_gateway.url("acme.cert")]
    ours, its = pty.openpty()
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True)
    os.close(its)
    yield ours
    process.kill()
    process.wait()
    os.close(ours)


def shown_until(terminal, end):
    shown = ""
    while end not in shown:
        assert select.select([terminal], [], [], 20)[0], f"no {end!r} behind {shown!r}"
        shown += os.read(terminal, 65536).decode()
    return shown.replace("\x07", "").split(end)[0]


def test_completion(terminal):
    shown_until(terminal, "\r\n> ")
    told = {}
    for words in COMPLETED:
        os.write(terminal, f"{words}\tEND".encode())
        told[words] = shown_until(terminal, "END")
        os.write(terminal, b"\x15\\echo next\n")  # takes the line back
        shown_until(terminal, "\nnext\r\n> ")
    assert told == COMPLETED
