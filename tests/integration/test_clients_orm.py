"""What users of Drizzle and Prisma do first: read, page, join, follow relations, correct what they may, and let the
schema be read from the database."""
import pytest

from harness import clients, mill


@pytest.fixture(scope="module")
def gateway(make_module_gateway):
    return make_module_gateway(policy_yaml=mill.POLICY, sql=mill.SQL)


DRIZZLE = """
const {drizzle} = require('drizzle-orm/node-postgres');
const {bigint, date, integer, pgTable, primaryKey, text} = require('drizzle-orm/pg-core');
const {and, asc, count, desc, eq, gt, inArray, like, relations, sql, sum} = require('drizzle-orm');
const key = name => bigint(name, {mode: 'number'});
const person = pgTable('person', {id: key('person_id').primaryKey(), name: text('full_name'), phone: text('phone'), born: date('born')});
const invoice = pgTable('invoice', {code: text('invoice_code'), person: key('person_id').references(() => person.id), number: integer('number'),
                                    pence: integer('pence')}, table => [primaryKey({columns: [table.person, table.number]})]);
const line = pgTable('line', {person: key('person_id'), number: integer('number'), line: integer('line'), article: text('article'),
                              pieces: integer('pieces')});
const schema = {person, invoice, line,
    toInvoices: relations(person, ({many}) => ({invoices: many(invoice)})),
    toPerson: relations(invoice, ({one, many}) => ({customer: one(person, {fields: [invoice.person], references: [person.id]}), lines: many(line)})),
    toInvoice: relations(line, ({one}) => ({invoice: one(invoice, {fields: [line.person, line.number], references: [invoice.person, invoice.number]})}))};
const pool = new pg.Pool(config);
const db = drizzle(pool, {schema});
"""


def drizzle(gateway, script):
    return clients.node(gateway, "books.cert", f"{DRIZZLE}{script}\nawait pool.end();\nconsole.log(JSON.stringify(told));")


def test_drizzle_reads(gateway):
    assert drizzle(gateway, """
        const prepared = db.select({name: person.name}).from(person).where(eq(person.id, sql.placeholder('id'))).prepare('by_id');
        const total = db.select({person: invoice.person, pence: sum(invoice.pence).as('pence')}).from(invoice).groupBy(invoice.person).as('total');
        const high = db.$with('high').as(db.select().from(invoice).where(gt(invoice.pence, 5700)));
        const told = {
            page: await db.select().from(person).orderBy(person.id).limit(2).offset(1),
            where: await db.select({name: person.name}).from(person).where(and(gt(person.id, 2), like(person.name, 'Person 1%')))
                           .orderBy(desc(person.id)).limit(3),
            join: await db.select({name: person.name, pence: invoice.pence}).from(invoice).innerJoin(person, eq(person.id, invoice.person))
                          .where(inArray(invoice.code, ['I-1', 'I-2'])).orderBy(asc(invoice.code)),
            left: await db.select().from(person).leftJoin(invoice, and(eq(person.id, invoice.person), gt(invoice.pence, 5800)))
                          .where(inArray(person.id, [1, 20])).orderBy(person.id),
            group: await db.select({article: line.article, lines: count(), pieces: sum(line.pieces)}).from(line).groupBy(line.article)
                           .orderBy(line.article).limit(1),
            count: await db.$count(person, gt(person.id, 5)),
            distinct: await db.selectDistinctOn([invoice.person], {person: invoice.person, number: invoice.number}).from(invoice)
                              .orderBy(invoice.person, desc(invoice.number)).limit(2),
            sub: await db.select({name: person.name, pence: total.pence}).from(person).innerJoin(total, eq(total.person, person.id))
                         .orderBy(person.id).limit(1),
            with: await db.with(high).select({code: high.code}).from(high).orderBy(high.code),
            prepared: [await prepared.execute({id: 4}), await prepared.execute({id: 5})]};
    """) == {
        "page": [{"id": n, "name": f"Person {n}", "phone": f"+44 7700 90000{n}", "born": f"1950-01-0{n + 1}"} for n in (2, 3)],
        "where": [{"name": f"Person {n}"} for n in (19, 18, 17)],
        "join": [{"name": "Person 2", "pence": 100}, {"name": "Person 3", "pence": 200}],
        "left": [{"person": {"id": 1, "name": "Person 1", "phone": "+44 7700 900001", "born": "1950-01-02"}, "invoice": None},
                 {"person": {"id": 20, "name": "Person 20", "phone": "+44 7700 900020", "born": "1950-01-21"},
                  "invoice": {"code": "I-59", "person": 20, "number": 3, "pence": 5900}}],
        "group": [{"article": "flour 1", "lines": 30, "pieces": "45"}],
        "count": 15,
        "distinct": [{"person": 1, "number": 3}, {"person": 2, "number": 3}],
        "sub": [{"name": "Person 1", "pence": "6000"}],
        "with": [{"code": "I-58"}, {"code": "I-59"}],
        "prepared": [[{"name": "Person 4"}], [{"name": "Person 5"}]]}


def test_drizzle_follows_relations(gateway):
    """Its relational queries are one statement each: LATERAL joins and json_agg."""
    assert drizzle(gateway, """
        const told = {
            many: await db.query.person.findMany({columns: {name: true}, where: eq(person.id, 3),
                with: {invoices: {columns: {code: true, pence: true}, orderBy: [asc(invoice.number)]}}}),
            one: await db.query.invoice.findFirst({columns: {code: true}, where: eq(invoice.code, 'I-7'),
                with: {customer: {columns: {name: true}}, lines: {columns: {line: true, article: true}}}}),
            page: await db.query.person.findMany({columns: {name: true}, orderBy: [asc(person.id)], limit: 2, offset: 1,
                with: {invoices: {columns: {code: true}, limit: 1, orderBy: [asc(invoice.number)]}}})};
    """) == {
        "many": [{"name": "Person 3", "invoices": [{"code": f"I-{n}", "pence": n * 100} for n in (2, 22, 42)]}],
        "one": {"code": "I-7", "customer": {"name": "Person 8"}, "lines": [{"line": 1, "article": "flour 1"}, {"line": 2, "article": "flour 2"}]},
        "page": [{"name": "Person 2", "invoices": [{"code": "I-1"}]}, {"name": "Person 3", "invoices": [{"code": "I-2"}]}]}


def test_what_a_relational_query_reads_is_recorded(gateway):
    after = int(gateway.admin("SHOW LEDGER LAST 1")[-1]["sequence"])
    drizzle(gateway, """const told = await db.query.person.findMany({columns: {name: true}, where: inArray(person.id, [9, 11]), with: {invoices: true}});""")
    assert {int(row["subject"]) for row in gateway.admin(f"SHOW DISCLOSED AFTER {after}")} == {9, 11}


def test_drizzle_writes(gateway):
    """A column that may be updated, within a transaction, a savepoint in it, and one that is taken back."""
    assert drizzle(gateway, """
        const told = {};
        told.updated = await db.transaction(async tx => {
            const rows = await tx.update(person).set({phone: '+44 1'}).where(eq(person.id, 6)).returning({phone: person.phone});
            const inner = await tx.transaction(nested => nested.select({secret: sql`secret`}).from(person)).catch(e => e.cause.code);
            return [rows, inner];
        });
        await db.transaction(async tx => {
            await tx.update(person).set({phone: 'none'}).where(eq(person.id, 7));
            tx.rollback();
        }).catch(e => { told.taken_back = e.constructor.name; });
        told.phones = (await db.select({phone: person.phone}).from(person).where(inArray(person.id, [6, 7])).orderBy(person.id)).map(row => row.phone);
        told.not_granted = await db.update(person).set({name: 'x'}).where(eq(person.id, 6)).catch(e => e.cause.code);
        told.read_only = await db.transaction(tx => tx.select({people: count()}).from(person),
                                              {isolationLevel: 'repeatable read', accessMode: 'read only'});
    """) == {"updated": [[{"phone": "+44 1"}], "42703"], "taken_back": "TransactionRollbackError", "phones": ["+44 1", "+44 7700 900007"],
             "not_granted": "42501", "read_only": [{"people": 20}]}


PRISMA = """
const fs = require('fs'), path = require('path');
const {PrismaPg} = require('@prisma/adapter-pg');
const {bindMigrationAwareSqlAdapterFactory} = require('@prisma/driver-adapter-utils');
const folder = path.dirname(require.resolve('@prisma/schema-engine-wasm'));
const engines = await import(path.join(folder, 'schema_engine_bg.js'));
const module = new WebAssembly.Module(fs.readFileSync(path.join(folder, 'schema_engine_bg.wasm')));
const instance = new WebAssembly.Instance(module, {'./schema_engine_bg.js': engines});
engines.__wbg_set_wasm(instance.exports);
instance.exports.__wbindgen_start();
// Prisma's adapter knows no "char", which PostgreSQL's own catalogue is full of: to it they are text.
class Pool extends pg.Pool {
    async query(...statement) {
        const result = await super.query(...statement);
        result.fields.filter(field => field.dataTypeID === 18).forEach(field => { field.dataTypeID = 25; });
        return result;
    }
}
const pool = new Pool(config);
const content = 'datasource db {\\n  provider = "postgresql"\\n}\\n';
const engine = await engines.SchemaEngine.new({datamodels: [['schema.prisma', content]]}, () => {},
                                              bindMigrationAwareSqlAdapterFactory(new PrismaPg(pool)));
const told = await engine.introspect({schema: {files: [{path: 'schema.prisma', content}]}, baseDirectoryPath: '/', force: true,
                                      compositeTypeDepth: -1, namespaces: null});
await pool.end();
console.log(JSON.stringify(told.schema.files[0].content));
"""
MODELS = [
    "model article {", "article String @id", "maker String?", "line_line_articleToarticle line[] @relation(\"line_articleToarticle\")", "}",
    "model invoice {", "invoice_code String @unique", "person_id BigInt", "number Int", "issued DateTime? @db.Date", "pence Int?",
    "person person @relation(fields: [person_id], references: [person_id], onDelete: NoAction, onUpdate: NoAction)", "line line[]",
    "@@id([person_id, number])", "}",
    "model line {", "person_id BigInt", "number Int", "line Int", "article String?", "pieces Int?",
    "article_line_articleToarticle article? @relation(\"line_articleToarticle\", fields: [article], references: [article], "
    "onDelete: NoAction, onUpdate: NoAction)",
    "invoice invoice @relation(fields: [number, person_id], references: [number, person_id], onDelete: NoAction, onUpdate: NoAction)",
    "person person @relation(fields: [person_id], references: [person_id], onDelete: NoAction, onUpdate: NoAction)",
    "@@id([person_id, number, line])", "}",
    "model person {", "person_id BigInt @id", "full_name String", "phone String?", "born DateTime? @db.Date", "town String?", "invoice invoice[]",
    "line line[]", "}"]


def test_prisma_introspects(gateway):
    """`prisma db pull`: Prisma's own engine, its adapter over node-postgres, and models with their keys and relations."""
    text = clients.node(gateway, "books.cert", PRISMA)
    rows = [" ".join(row.split()) for row in text.splitlines() if row.strip() and not row.startswith("///")]
    assert rows[3:] == MODELS, text


def test_sequelize_begins(gateway):
    """It sets the time zone as an interval; what it asks of the catalogue is in statements/."""
    with gateway.connect("books.cert") as connection:
        for offset, shown in (("+00:00", "2024-01-01 12:00:00+00"), ("+05:30", "2024-01-01 17:30:00+05:30"), ("-08:00", "2024-01-01 04:00:00-08")):
            connection.execute(f"SET standard_conforming_strings=on;SET client_min_messages TO warning;SET TIME ZONE INTERVAL '{offset}' HOUR TO MINUTE")
            assert connection.execute("SELECT timestamptz '2024-01-01 12:00Z'::text").fetchone() == (shown,)
        connection.execute("RESET TIME ZONE")
        assert gateway.refused("books.cert", "SET TIME ZONE INTERVAL '1 month' HOUR TO MINUTE")[0] == "0A000"
