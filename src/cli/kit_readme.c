/* The texts of a kit. They name what this agent may see, never a row filter, a table's real name
 * or another agent's grants: the kit leaves the house. */
#include "cli/kit.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"

static const char *form_name(enum policy_form form)
{
    switch (form) {
    case POLICY_FORM_CLEAR:
        return "clear";
    case POLICY_FORM_MASKED:
        return "masked";
    case POLICY_FORM_TOKEN:
        return "token";
    }
    return "";
}

static bool grant_is_for(const struct policy_grant *grant, const struct policy_agent *agent)
{
    return grant->agent == NULL || strcmp(grant->agent, agent->name) == 0;
}

static void heading(struct buffer *out, const char *text)
{
    buffer_printf(out, "\n%s\n", text);
    for (size_t i = 0; i < strlen(text); i++)
        buffer_append_u8(out, '-');
    buffer_append_u8(out, '\n');
}

static void service_name(const struct kit *kit, struct buffer *out)
{
    buffer_printf(out, "%s-%s", kit->partner->name, kit->agent->name);
}

/* ---- pg_service.conf ---- */

void kit_service(const struct kit *kit, struct buffer *out)
{
    buffer_append_text(out, "# Paths are relative to the folder that programs run in: give full "
                            "ones to use this elsewhere.\n[");
    service_name(kit, out);
    buffer_printf(out, "]\nhost=%s\nport=%u\ndbname=%s\nuser=%s\n", kit->host, kit->port,
                  kit->database, kit->agent->login);
    buffer_append_text(out, "sslmode=verify-full\nsslrootcert=ca.crt\n");
    if (kit->has_certificate)
        buffer_append_text(out, "sslcert=client.crt\nsslkey=client.key\n");
}

/* ---- what may be seen ---- */

static void columns_of(const struct policy_dataset *dataset, const struct policy_grant *grant,
                       struct buffer *out)
{
    for (size_t i = 0; i < grant->column_count; i++) {
        const struct policy_granted_column *granted = &grant->columns[i];
        const struct policy_column *column = &dataset->columns[granted->column];
        buffer_printf(out, "  %-24s %s", column->name, form_name(granted->form));
        if (granted->mask != NULL && granted->bucket > 0)
            buffer_printf(out, ", %s(%ld)", granted->mask, granted->bucket);
        else if (granted->mask != NULL)
            buffer_printf(out, ", %s", granted->mask);
        buffer_append_u8(out, '\n');
    }
}

static void grants(const struct kit *kit, struct buffer *out)
{
    heading(out, "What you can see");
    buffer_append_text(out, "Tables stand in schema public. clear: as it is; masked: a part or a "
                            "rounding of it; token: a\nstand-in, the same for the same value, "
                            "that only means something to you.\n");
    for (size_t i = 0; i < kit->partner->grant_count; i++) {
        const struct policy_grant *grant = &kit->partner->grants[i];
        if (!grant_is_for(grant, kit->agent))
            continue;
        const struct policy_dataset *dataset = &kit->policy->datasets[grant->dataset];
        buffer_printf(out, "\npublic.%s%s", dataset->name,
                      grant->rows == NULL ? "" : " (some of its rows)");
        if (grant->purpose != NULL)
            buffer_printf(out, ", for %s", grant->purpose);
        buffer_append_text(out, "\n");
        columns_of(dataset, grant, out);
    }
}

/* ---- limits ---- */

static void instant(struct buffer *out, const char *what, int64_t time_ns)
{
    char text[21];
    if (time_ns == INT64_MIN || time_ns == INT64_MAX)
        return;
    clock_format_utc(time_ns, text);
    buffer_printf(out, "%s %s\n", what, text);
}

static void bound(struct buffer *out, const char *what, uint64_t value)
{
    if (value > 0)
        buffer_printf(out, "%s: %" PRIu64 "\n", what, value);
}

static void lookups(const struct kit *kit, struct buffer *out)
{
    if (kit->partner->lookup_count == 0)
        return;
    buffer_append_text(out, "Each statement must pin one of these to a value:");
    for (size_t i = 0; i < kit->partner->lookup_count; i++) {
        const struct policy_lookup *lookup = &kit->partner->lookup_by[i];
        buffer_printf(out, "%s %s.%s", i == 0 ? "" : ",",
                      kit->policy->datasets[lookup->dataset].name, lookup->column);
    }
    buffer_append_u8(out, '\n');
}

static void purposes(const struct kit *kit, struct buffer *out)
{
    const struct policy_partner *partner = kit->partner;
    buffer_append_text(out, partner->purpose_count == 1 ? "Purpose: " : "Purposes: ");
    for (size_t i = 0; i < partner->purpose_count; i++)
        buffer_printf(out, "%s%s", i == 0 ? "" : ", ", partner->purposes[i]);
    buffer_append_u8(out, '\n');
    if (partner->purpose_count > 1)
        buffer_append_text(out, "State yours when you connect, where you have several: "
                                "options='-c cofferdam.purpose=...'\n(a space inside is written "
                                "\\ followed by the space).\n");
}

/* "Limit phones: 500 different people in a day, with phone clear". Those of other agents do not
 * bind this one. */
static void named_limit(const struct kit *kit, const struct policy_limit *limit, struct buffer *out)
{
    static const char *const words[] = {"a day",  "a week",  "a month", "24 hours",
                                        "7 days", "30 days", "all"};
    static const char *const forms[] = {"clear", "masked", "token"};
    if (limit->agent != NULL && strcmp(limit->agent, kit->agent->name) != 0)
        return;
    buffer_printf(out, "Limit %s: %" PRIu64 " different people in %s", limit->name, limit->subjects,
                  words[limit->window]);
    if (limit->category != NULL || limit->has_form)
        buffer_printf(out, ", with %s%s%s", limit->category == NULL ? "anything" : limit->category,
                      limit->has_form ? " " : "", limit->has_form ? forms[limit->form] : "");
    if (limit->agent != NULL)
        buffer_append_text(out, ", by this agent");
    if (limit->purpose != NULL)
        buffer_printf(out, ", for %s", limit->purpose);
    buffer_append_text(out, "\n");
}

static void limits(const struct kit *kit, struct buffer *out)
{
    const struct policy_partner *partner = kit->partner;
    heading(out, "Limits");
    if (partner->agreement != NULL)
        buffer_printf(out, "Agreement: %s\n", partner->agreement);
    purposes(kit, out);
    instant(out, "Valid from", partner->valid_from_ns);
    instant(out, "Valid until", partner->valid_until_ns);
    if (kit->has_certificate)
        instant(out, "Your certificate ends", kit->expires_ns);
    if (partner->mode == POLICY_MODE_AGGREGATES)
        buffer_printf(out,
                      "Statistics only: count, sum, avg, stddev and variance, over groups of at "
                      "least %u people.\n",
                      partner->min_subjects);
    lookups(kit, out);
    bound(out, "Different people a day", partner->budget.subjects_per_day);
    bound(out, "Different people in all", partner->budget.subjects_total);
    for (size_t i = 0; i < partner->budget.limit_count; i++)
        named_limit(kit, &partner->budget.limits[i], out);
    bound(out, "Rows a statement", partner->budget.rows_per_statement);
    bound(out, "Statements that fail on the data, a day", partner->budget.errors_per_day);
    for (size_t i = 0; i < kit->agent->hours_count; i++)
        buffer_printf(out, "Hours: %s\n", kit->agent->hours[i].text);
    if (kit->agent->network_count > 0)
        buffer_append_text(out, "Only from the addresses that the agreement names.\n");
    buffer_append_text(out, "Ask for what is left with: SHOW cofferdam.budget\n"
                            "Everything you read, and of whom, is recorded before it is sent.\n");
}

/* ---- SQLSTATEs ---- */

static void sqlstates(struct buffer *out)
{
    static const struct {
        const char *code, *text;
    } rows[] = {
        {"0A000", "not supported here, or the policy changed: prepare the statement again"},
        {"25006", "the data cannot be changed"},
        {"28000", "refused at login: TLS, certificate, address, hours, contract or purpose"},
        {"28P01", "wrong password"},
        {"42501", "not granted: table, column, function, operator or kind of statement"},
        {"42601", "syntax error"},
        {"42703", "no such column, or not granted"},
        {"42P01", "no such table, or not granted"},
        {"53100", "the controller's ledger cannot take entries: nothing is sent; try again later"},
        {"53300", "too many sessions"},
        {"53400", "a limit or budget is used up; the rows before it were sent"},
        {"54000", "too big: statement, message or key"},
        {"54001", "too deeply nested"},
        {"57014", "cancelled, or ran too long"},
        {"57P01", "the session was ended: contained, expired, or the gateway stops"},
        {"57P05", "idle for too long"},
        {"08P01", "the client broke the protocol"},
        {"22xxx, 23xxx", "the statement failed on the data; what data, is not told"},
    };
    heading(out, "Errors");
    buffer_append_text(out, "Each comes with a hint. Classes are PostgreSQL's.\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        buffer_printf(out, "  %-13s %s\n", rows[i].code, rows[i].text);
}

/* ---- connecting ---- */

static void files(const struct kit *kit, struct buffer *out)
{
    heading(out, "Files");
    buffer_append_text(out, "  ca.crt           proves the gateway to you\n"
                            "  pg_service.conf  connection settings for psql and every libpq "
                            "program\n");
    if (kit->has_certificate)
        buffer_append_text(out,
                           "  client.crt       proves you to the gateway, with\n"
                           "  client.key       its private key: keep it readable by its user only\n"
                           "  client.p12       both again, for Java and Windows; its passphrase is "
                           "in\n  client.p12.pass\n");
    else if (kit->agent->certificate != NULL)
        buffer_printf(out,
                      "\nYour certificate is not in here: use the one that says %s, as client.crt "
                      "and\nclient.key.\n",
                      kit->agent->certificate);
    if (kit->has_certificate && kit->agent->renewal_ns > 0)
        buffer_append_text(out, "  renew            renews client.crt, with a new key, before it "
                                "ends: run it from cron each\n                   hour, or each day "
                                "for a certificate of weeks. Needs openssl and psql.\n");
    if (kit->agent->scram_file != NULL)
        buffer_append_text(out, "\nYou log in with a password (SCRAM-SHA-256), which you get by "
                                "another way than this kit.\nKeep it in a file of mode 0600, or "
                                "in ~/.pgpass, never in a command line.\n");
}

static void psql_example(const struct kit *kit, struct buffer *out)
{
    heading(out, "psql");
    buffer_append_text(out, "PGSERVICEFILE=pg_service.conf psql service=");
    service_name(kit, out);
    buffer_append_u8(out, '\n');
}

static void psycopg_example(const struct kit *kit, struct buffer *out)
{
    bool by_password = kit->agent->certificate == NULL;
    heading(out, "Python (psycopg)");
    buffer_printf(out,
                  "psycopg.connect(host=\"%s\", port=%u, dbname=\"%s\", user=\"%s\",\n"
                  "                sslmode=\"verify-full\", sslrootcert=\"ca.crt\",\n"
                  "                %s)\n",
                  kit->host, kit->port, kit->database, kit->agent->login,
                  by_password ? "password=open(\"password\").read().strip()"
                              : "sslcert=\"client.crt\", sslkey=\"client.key\"");
}

static void jdbc_example(const struct kit *kit, struct buffer *out)
{
    bool by_password = kit->agent->certificate == NULL;
    heading(out, "Java (JDBC)");
    buffer_printf(out,
                  "Properties settings = new Properties();\n"
                  "settings.setProperty(\"user\", \"%s\");\n"
                  "settings.setProperty(\"sslmode\", \"verify-full\");\n"
                  "settings.setProperty(\"sslrootcert\", \"ca.crt\");\n",
                  kit->agent->login);
    if (by_password)
        buffer_append_text(out, "settings.setProperty(\"password\", "
                                "Files.readString(Path.of(\"password\")).strip());\n");
    else
        buffer_append_text(out, "settings.setProperty(\"sslkey\", \"client.p12\");\n"
                                "settings.setProperty(\"sslpassword\", "
                                "Files.readString(Path.of(\"client.p12.pass\")).strip());\n");
    buffer_printf(out, "DriverManager.getConnection(\"jdbc:postgresql://%s:%u/%s\", settings);\n",
                  kit->host, kit->port, kit->database);
}

static void node_example(const struct kit *kit, struct buffer *out)
{
    bool by_password = kit->agent->certificate == NULL;
    heading(out, "JavaScript (pg)");
    buffer_printf(out,
                  "new pg.Client({host: \"%s\", port: %u, database: \"%s\", user: \"%s\",%s\n"
                  "  ssl: {ca: fs.readFileSync(\"ca.crt\")%s}})\n",
                  kit->host, kit->port, kit->database, kit->agent->login,
                  by_password ? "\n  password: fs.readFileSync(\"password\", \"utf8\").trim(),"
                              : "",
                  by_password ? ""
                              : ",\n        cert: fs.readFileSync(\"client.crt\"), "
                                "key: fs.readFileSync(\"client.key\")");
}

void kit_readme(const struct kit *kit, struct buffer *out)
{
    const struct policy_controller *controller = &kit->policy->controller;
    buffer_printf(out,
                  "Access to data of %s for %s, agent %s\n"
                  "Log in as %s at %s port %u, database %s, with TLS.\n",
                  controller->name == NULL ? "the controller" : controller->name,
                  kit->partner->name, kit->agent->name, kit->agent->login, kit->host, kit->port,
                  kit->database);
    files(kit, out);
    psql_example(kit, out);
    psycopg_example(kit, out);
    jdbc_example(kit, out);
    node_example(kit, out);
    grants(kit, out);
    limits(kit, out);
    sqlstates(out);
    heading(out, "If you suspect a breach");
    buffer_printf(out,
                  "Tell %s at once: %s%s%s. You can be cut off without delay; nobody else "
                  "is touched.\n",
                  controller->dpo_name == NULL ? "the data protection officer"
                                               : controller->dpo_name,
                  controller->dpo_email == NULL ? "" : controller->dpo_email,
                  controller->dpo_email != NULL && controller->dpo_phone != NULL ? ", " : "",
                  controller->dpo_phone == NULL ? "" : controller->dpo_phone);
}
