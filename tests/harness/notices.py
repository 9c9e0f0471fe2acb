"""A breach small enough to know every person in it, for tests of sending.

    case = Case(make_gateway, MailServer(authority, …), customers=60)
    case.open()                        # the partner has read everybody; the incident is open
    hash = case.dry_run()["hash"]
    case.notify("--send", "--approve", hash)
"""
import email
import email.policy
import json
import subprocess

from harness import places
from harness.mailserver import make_maildir

# Customers by what is special about them; from 10 on nothing is.
DECEASED, GONE_AWAY, NO_EMAIL, NOWHERE, GONE_NO_EMAIL, SAFE, CHILD, BAD_EMAIL = range(1, 9)

SQL = """
CREATE SCHEMA crm;
CREATE TABLE crm.customer (customer_id bigint PRIMARY KEY, brand text, full_name text, email text, phone text,
                           birth_date date, street text, city text, postcode text, country text,
                           language text, gone_away boolean, deceased boolean, safe_contact boolean);
CREATE TABLE crm.enquirer (LIKE crm.customer INCLUDING ALL);
INSERT INTO crm.customer
SELECT n, CASE n % 3 WHEN 0 THEN 'dacre' ELSE 'meridian' END, 'Person ' || translate(n::text, '0123456789', 'abcdefghij'), 'c' || n || '@mail.example',
       '+44 1632 96' || lpad(n::text, 4, '0'), date '1960-01-01' + n::int % 9000, n || ' Low Road', 'Bath', 'BA1 1AA',
       CASE n % 4 WHEN 0 THEN 'FR' ELSE 'GB' END, CASE n % 4 WHEN 0 THEN 'fr' ELSE 'en' END, false, false, false
  FROM generate_series(1, {customers}) AS n;
UPDATE crm.customer SET deceased = true WHERE customer_id = 1;
UPDATE crm.customer SET gone_away = true WHERE customer_id IN (2, 5);
UPDATE crm.customer SET email = NULL WHERE customer_id IN (3, 4, 5);
UPDATE crm.customer SET street = NULL, city = NULL, postcode = '' WHERE customer_id = 4;
UPDATE crm.customer SET safe_contact = true WHERE customer_id = 6;
UPDATE crm.customer SET birth_date = current_date - 3000 WHERE customer_id = 7;
UPDATE crm.customer SET email = 'no address' WHERE customer_id = 8;
INSERT INTO crm.enquirer
SELECT n, 'meridian', 'Asker ' || translate(n::text, '0123456789', 'abcdefghij'), 'e' || n || '@mail.example', NULL, NULL, n || ' High Road', 'York', 'YO1 1AA',
       'GB', 'en', false, false, false
  FROM generate_series(1, {enquirers}) AS n;
ANALYZE;
"""

COLUMNS = "name: full_name, email: email, phone: phone, post: [street, city, postcode], language: language, " \
          "brand: brand, country: country, birth_date: birth_date, gone_away: gone_away, deceased: deceased, " \
          "safe_contact: safe_contact"
TABLE = """
    columns:
      customer_id: {category: identifier}
      brand: {}
      full_name: {category: name}
      email: {category: email}
      phone: {category: phone}
      birth_date: {category: date_of_birth}
      street: {category: address}
      city: {category: address}
      postcode: {category: address}
      country: {category: address}
      language: {category: language}
      gone_away: {category: circumstances}
      deceased: {category: circumstances}
      safe_contact: {category: circumstances}
"""
POLICY = f"""
controller:
  name: Meridian Motors UK
  brands:
    meridian: {{name: Meridian, sender: privacy@meridian.example, privacy_page: meridian.example/privacy}}
    dacre: {{name: Dacre, sender: privacy@dacre.example, privacy_page: dacre.example/privacy}}
  dpo: {{name: Imogen Hartley, email: dpo@meridian.example, phone: "+44 1632 960100",
        post: "Data Protection, Meridian House, Bath BA1 1AA"}}
  privacy_page: meridian.example/privacy
  senders: [privacy@meridian.example, privacy@dacre.example]
  jurisdictions: [uk-gdpr]
subjects:
  customer: {{dataset: customer, key: customer_id, contact: {{{COLUMNS}}}}}
  enquirer: {{dataset: enquirer, key: customer_id, contact: {{{COLUMNS}}}}}
datasets:
  customer:
    table: crm.customer
    subject: {{kind: customer, key: customer_id}}{TABLE}
  enquirer:
    table: crm.enquirer
    subject: {{kind: enquirer, key: customer_id}}{TABLE}
partners:
  north:
    contract: {{agreement: DPA-1, breach_contact: {{name: A. Contact, phone: "+44 1632 960001"}}}}
    purposes: [mailing]
    agents: [{{name: sync, identity: {{certificate: "spiffe://north/sync"}}}}]
    valid: {{from: 2020-01-01, until: 2099-12-31}}
    grants:
      - {{dataset: customer, columns: {{customer_id: clear, full_name: clear, email: clear, phone: clear,
                                       birth_date: clear, street: clear, postcode: clear}}}}
      - {{dataset: enquirer, columns: {{customer_id: clear, full_name: clear, email: clear}}}}
    budget: {{subjects: {{per_day: 1000000, total: 10000000}}, rows_per_statement: 1000000}}
"""
# What the partner asked for; customers above 20 are not asked for their dates of birth.
STATEMENTS = ("SELECT customer_id, full_name, email, street FROM customer",
              "SELECT customer_id, birth_date FROM customer WHERE customer_id <= 20",
              "SELECT customer_id, full_name FROM enquirer")
FACTS = {
    "notice_what_happened": "On 20 November a company that sends letters for us told us that its systems had been "
                            "broken into. Copies of our customers' details were taken.",
    "notice_what_happened_fr": "Le 20 novembre, une société qui envoie des courriers pour nous nous a signalé une "
                               "intrusion dans ses systèmes. Des copies des coordonnées de nos clients ont été prises.",
    "partner_service": "sends letters for us",
    "partner_service_fr": "envoie des courriers pour nous",
}


class Case:
    def __init__(self, make_gateway, server, customers=60, enquirers=4, mail=None, statements=STATEMENTS,
                 agent="north.sync"):
        self.server, self.statements, self.agent = server, statements, agent
        self.gateway = make_gateway(policy_yaml=POLICY, contact=True, start=False,
                                    sql=SQL.format(customers=customers, enquirers=enquirers))
        self.bounces = make_maildir(self.gateway.folder / "bounces")
        for folder in (self.bounces, *self.bounces.iterdir()):
            places.own(folder, self.gateway.user)
        self.configure(**(mail or {}))
        self.gateway.grant()
        self.gateway.start()

    def configure(self, **changes):
        """The mail part of cofferdam.yaml; None leaves a key out."""
        server = self.server
        mail = {"host": "localhost", "port": server.port, "bounces": "bounces@meridian.example",
                "bounce_folder": "bounces", "connections": 2, "doubt_s": 2}
        if server.ca:
            mail["ca"] = str(server.ca)
        else:
            mail["tls"] = "off"
        if server.user:
            self.gateway._write_secret("mail.password", server.password_file.read_text())
            mail.update(user=server.user, password_file="mail.password")
        mail.update(changes)
        self.gateway.settings["mail"] = {name: value for name, value in mail.items() if value is not None}
        self.gateway.write_config()

    def open(self):
        for statement in self.statements:
            self.gateway.psql(self.agent, statement)
        self.gateway.cli("incident", "open", "--partner", self.agent.split(".")[0], "--noticed", "2026-01-01T00:00:00Z",
                         "--by", "dpo")
        for name, value in FACTS.items():
            self.gateway.cli("incident", "fact", "1", name, value)
        return self

    def notify(self, *words, check=True):
        return self.gateway.cli("incident", "notify", "1", *words, check=check)

    def start(self, *words):
        """The verb as a process of its own, to be stopped or killed."""
        command = [self.gateway.program, "incident", "notify", "1", *words, "-c", self.gateway.config]
        return places.popen_as(self.gateway.user, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def dry_run(self, *words):
        return json.loads(self.notify("--dry-run", "--json", *words))

    def send(self, *words):
        return self.notify("--send", "--approve", self.dry_run()["hash"], *words)

    def states(self):
        """state -> people."""
        rows = json.loads(self.notify("--status", "--json"))
        return {row["state"]: row["people"] for row in rows if row["people"] is not None and row["state"] != "all"}

    def log(self):
        """The decision log in one text; the table breaks long words over lines."""
        return self.gateway.cli("incident", "log", "1", "--json")

    def proof(self):
        path = self.gateway.folder / "proof.csv"
        path.unlink(missing_ok=True)
        self.notify("--proof", str(path))
        return path.read_text()


def parsed(message):
    """One of the server's messages as email.message.EmailMessage."""
    return email.message_from_string(message["data"], policy=email.policy.default)


def text_of(message):
    return parsed(message).get_body(("plain",)).get_content()
