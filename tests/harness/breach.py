"""A breach of the small shop: a policy with the company's own data, and what a partner received of whom."""
import datetime

from harness import shop

CONTROLLER = """controller:
  name: Shop
  brands: {high: {name: High Street}}
  dpo: {name: D. Officer, email: dpo@shop.example, phone: "+44 1632 960999", post: "1 Market Place, York"}
  registration: ZB000001
  privacy_page: shop.example/privacy
  jurisdictions: [uk-gdpr]
"""
POLICY = shop.POLICY.replace("controller: {name: Shop, dpo: {name: D. Officer, email: dpo@shop.example}}\n", CONTROLLER)
assert POLICY != shop.POLICY
# Name, masked telephone and town of 45 people of York, and the birthdays of 30 of them.
ASKED = ["SELECT person_id, full_name, phone, town FROM person WHERE person_id <= 60",
         "SELECT person_id, born FROM person WHERE person_id <= 40"]
BASIC = "Basic personal identifiers, such as name and contact details"


def stamp(seconds_ago=0):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def breach(gateway, *more, asked=ASKED, noticed=None):
    """acme reads, then tells of its breach: (people that it had, everything that its clients were given)."""
    people, given = set(), []
    with gateway.connect("acme.cert") as connection:
        for statement in asked:
            rows = connection.execute(statement).fetchall()
            people |= {row[0] for row in rows}
            given += [str(value) for row in rows for value in row[1:]]
    gateway.cli("incident", "open", "--partner", "acme", "--noticed", noticed or stamp(60), *more)
    return people, given


def fact(gateway, name, value, number=1):
    gateway.cli("incident", "fact", str(number), name, value)
