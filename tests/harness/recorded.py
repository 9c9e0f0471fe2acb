"""What the ledger has been told, as the admin database shows it."""


def last(gateway):
    """Sequence of the newest entry; -1: there is none."""
    entries = gateway.admin("SHOW LEDGER LAST 1")
    return int(entries[-1]["sequence"]) if entries else -1


def afresh(gateway, rows):
    """The gateway with the tables as this script makes them, and with its ledger marked from here on."""
    gateway.cluster.script(gateway.database, rows)
    gateway.mark = last(gateway)
    return gateway


def told(gateway, after, grade="direct"):
    """Keys of the people whom entries after that sequence name in the grade."""
    return {int(row["subject"]) for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}") if row["grade"] == grade}


def marked(gateway, *types):
    """The last entries of these types after the sequence gateway.mark, oldest first."""
    return [row for row in gateway.admin("SHOW LEDGER LAST 300") if row["type"] in types and int(row["sequence"]) > gateway.mark]


def outcomes(gateway):
    """What has become of each change since gateway.mark, in the order in which they were intended."""
    ends = {row["uuid"]: row["outcome"] for row in marked(gateway, "change-end")}
    return [ends.get(row["uuid"]) for row in marked(gateway, "change")]
