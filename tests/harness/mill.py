"""A mill's books, for tests of keys over several columns: invoices and their lines are numbered for each person."""

SQL = """
CREATE SCHEMA mill;
CREATE TABLE mill.person (person_id bigint PRIMARY KEY, full_name text NOT NULL, phone text, born date, town text, secret text UNIQUE);
CREATE TABLE mill.article (article text PRIMARY KEY, maker text);
CREATE TABLE mill.invoice (invoice_code text NOT NULL UNIQUE, person_id bigint NOT NULL REFERENCES mill.person, number integer NOT NULL,
                           issued date, pence integer, PRIMARY KEY (person_id, number));
CREATE TABLE mill.line (person_id bigint NOT NULL, number integer NOT NULL, line integer NOT NULL, article text REFERENCES mill.article,
                        pieces integer, secret text NOT NULL, PRIMARY KEY (person_id, number, line), UNIQUE (person_id, secret),
                        FOREIGN KEY (number, person_id) REFERENCES mill.invoice (number, person_id));
INSERT INTO mill.person SELECT n, 'Person ' || n, '+44 7700 9' || lpad(n::text, 5, '0'), date '1950-01-01' + n, 'York', 'canary-' || n
  FROM generate_series(1, 20) AS n;
INSERT INTO mill.article SELECT 'flour ' || n, 'maker ' || n % 2 FROM generate_series(1, 4) AS n;
INSERT INTO mill.invoice SELECT 'I-' || n, 1 + n % 20, 1 + n / 20, date '2024-01-01' + n, n * 100 FROM generate_series(0, 59) AS n;
INSERT INTO mill.line SELECT 1 + n % 20, 1 + n / 20, line, 'flour ' || 1 + (n + line) % 4, line, 'canary-' || n || '-' || line
  FROM generate_series(0, 59) AS n, generate_series(1, 2) AS line;
ANALYZE;
"""

# books: an agent with a certificate, that may correct a phone number; part: it sees half of the keys.
POLICY = """
controller: {name: Mill, dpo: {name: D. Officer, email: dpo@mill.example}}
subjects:
  person: {dataset: person, key: person_id}
datasets:
  person:
    table: mill.person
    subject: {kind: person, key: person_id}
    columns: {person_id: {}, full_name: {category: name}, phone: {category: phone}, born: {category: date_of_birth}, town: {category: address}, secret: {}}
  article: {table: mill.article, subject: none, columns: {article: {}, maker: {}}}
  invoice:
    table: mill.invoice
    subject: {kind: person, key: person_id}
    columns: {invoice_code: {}, person_id: {}, number: {}, issued: {}, pence: {}}
  line:
    table: mill.line
    subject: {kind: person, key: person_id}
    columns: {person_id: {}, number: {}, line: {}, article: {}, pieces: {}, secret: {}}
partners:
  books:
    contract: {agreement: DPA-1, breach_contact: {name: A. Contact, phone: "+44 1632 960001"}}
    purposes: [accounts]
    agents: [{name: cert, identity: {certificate: "spiffe://books/cert"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - dataset: person
        columns: {person_id: clear, full_name: clear, phone: clear, born: clear, town: clear}
        write: {update: [phone]}
      - {dataset: article, columns: all}
      - {dataset: invoice, columns: all}
      - {dataset: line, columns: {person_id: clear, number: clear, line: clear, article: clear, pieces: clear}}
    budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}
  part:
    contract: {agreement: DPA-2, breach_contact: {name: R. Contact, phone: "+44 1632 960002"}}
    purposes: [accounts]
    agents: [{name: cert, identity: {certificate: "spiffe://part/cert"}}]
    valid: {from: 2020-01-01, until: 2099-12-31}
    grants:
      - {dataset: invoice, columns: {person_id: token, number: clear, pence: clear}}
      - {dataset: line, columns: {person_id: clear, number: clear, line: clear}}
      - {dataset: article, columns: {maker: clear}}
    budget: {subjects: {per_day: 100000, total: 1000000}, rows_per_statement: 1000000}
"""
