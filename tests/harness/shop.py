"""A small database with a small policy, for tests that need to know every row."""

SQL = """
CREATE SCHEMA shop;
CREATE TABLE shop.person (person_id bigint PRIMARY KEY, full_name text, phone text, born date,
                          town text, secret text);
CREATE TABLE shop.purchase (purchase_id bigint PRIMARY KEY,
                            person_id bigint REFERENCES shop.person, item text, pence integer);
CREATE INDEX ON shop.purchase (person_id);
CREATE TABLE shop.article (item text PRIMARY KEY, maker text);
INSERT INTO shop.person
SELECT n, 'Person ' || n, '+44 7700 9' || lpad(n::text, 5, '0'), date '1950-01-01' + n * 100::int,
       CASE WHEN n % 4 = 0 THEN 'Bath' ELSE 'York' END, 'canary-' || n
  FROM generate_series(1, 200) AS n;
INSERT INTO shop.purchase
SELECT n, 1 + n % 200, 'item ' || n % 7, n * 10 FROM generate_series(1, 1000) AS n;
INSERT INTO shop.article SELECT 'item ' || n, 'maker ' || n % 2 FROM generate_series(0, 6) AS n;
ANALYZE;
"""

# Agents: acme.cert (certificate), acme.job (password), rival.cert (certificate). People of Bath are
# hidden from acme; the secret is granted to nobody; the phone is masked for acme.
POLICY = """
controller: {name: Shop, dpo: {name: D. Officer, email: dpo@shop.example}}
subjects:
  person: {dataset: person, key: person_id}
datasets:
  person:
    table: shop.person
    subject: {kind: person, key: person_id}
    columns:
      person_id: {}
      full_name: {category: name}
      phone: {category: phone}
      born: {category: date_of_birth}
      town: {category: address}
      secret: {category: credential}
  purchase:
    table: shop.purchase
    subject: {kind: person, key: person_id}
    columns: {purchase_id: {}, person_id: {}, item: {}, pence: {}}
  article:
    table: shop.article
    subject: none
    columns: {item: {}, maker: {}}
partners:
  acme:
    contract: {agreement: DPA-1, breach_contact: {name: A. Contact, phone: "+44 1632 960001"}}
    purposes: [delivery]
    agents:
      - {name: cert, identity: {certificate: "spiffe://acme/cert"}}
      - {name: job, identity: {scram: secrets/acme-job.scram}}
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        rows: "town = 'York'"
        columns: {person_id: clear, full_name: clear, phone: last4, born: clear, town: clear}
      - {dataset: purchase, columns: {purchase_id: clear, person_id: clear, item: clear, pence: clear}}
      - {dataset: article, columns: all}
    budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}
  rival:
    contract: {agreement: DPA-2, breach_contact: {name: R. Contact, phone: "+44 1632 960002"}}
    purposes: [delivery]
    agents:
      - {name: cert, identity: {certificate: "spiffe://rival/cert"}}
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - {dataset: person, columns: {person_id: clear, full_name: clear}}
    budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}
"""
