#include "plan_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"

static const int64_t now_ns = 1789000000000000000; /* September 2026 */

static const char policy_head[] =
    "controller: {name: Test, dpo: {name: D, email: d@e.example}}\n"
    "subjects:\n"
    "  customer: {dataset: customer, key: customer_id}\n"
    "  enquirer: {dataset: enquirer, key: enquirer_id}\n"
    "datasets:\n"
    "  customer:\n"
    "    table: crm.customer\n"
    "    subject: {kind: customer, key: customer_id}\n"
    "    columns: {customer_id: {category: identifier}, full_name: {category: name}, phone: "
    "{category: phone}, birth_date: {category: date_of_birth}, city: {category: address}, "
    "country: {}, gone_away: {}, balance: {}, postcode: {category: address}, email: {category: "
    "email}, created_at: {}}\n"
    "  enquirer:\n"
    "    table: crm.enquirer\n"
    "    subject: {kind: enquirer, key: enquirer_id}\n"
    "    columns: {enquirer_id: {category: identifier}, full_name: {category: name}, city: {}}\n"
    "  vehicle:\n"
    "    table: crm.vehicle\n"
    "    subject: {kind: customer, key: owner_id, when_null: hide}\n"
    "    columns: {vehicle_id: {}, owner_id: {category: identifier}, registration: {category: "
    "vrm}, model_id: {}, mileage: {}}\n"
    "  stock:\n"
    "    table: crm.vehicle\n"
    "    subject: {kind: customer, key: owner_id, when_null: none}\n"
    "    columns: {vehicle_id: {}, registration: {category: vrm}}\n"
    "  service_visit:\n"
    "    table: crm.service_visit\n"
    "    subject: {kind: customer, via: [{dataset: vehicle, on: vehicle_id}]}\n"
    "    columns: {visit_id: {}, vehicle_id: {}, visited_on: {}, pence: {category: purchase}}\n"
    "  service_line:\n"
    "    table: crm.service_line\n"
    "    subject: {kind: customer, via: [{dataset: service_visit, on: visit_id}, {dataset: "
    "vehicle, on: vehicle_id}]}\n"
    "    columns: {line_id: {}, visit_id: {}, part: {category: purchase}}\n"
    "  model:\n"
    "    table: crm.model\n"
    "    subject: none\n"
    "    columns: {model_id: {}, name: {}}\n"
    "masks:\n"
    "  stars: {form: masked, sql: \"'***' || right({column}, 2)\"}\n"
    "  digits: {form: masked, sql: \"({column}::int4 / 10)::text\"}\n"
    "partners:\n"
    "  acme:\n"
    "    contract: {agreement: A, breach_contact: {name: N, phone: '1'}}\n"
    "    purposes: [testing]\n"
    "    agents:\n"
    "      - {name: app, identity: {certificate: \"spiffe://acme/app\"}}\n"
    "      - {name: other, identity: {certificate: \"spiffe://acme/other\"}}\n"
    "    grants:\n";

static const char policy_grants[] =
    "      - dataset: customer\n"
    "        rows: \"country = 'GB' AND NOT gone_away\"\n"
    "        columns: {customer_id: clear, full_name: clear, phone: last4, birth_date: year, "
    "city: clear, balance: clear}\n"
    "      - {dataset: enquirer, columns: all}\n"
    "      - {dataset: vehicle, columns: all}\n"
    "      - {dataset: stock, columns: all}\n"
    "      - {dataset: service_visit, columns: all}\n"
    "      - {dataset: service_line, columns: all}\n"
    "      - {dataset: model, columns: all}\n";

static const char policy_tail[] =
    "  tokens:\n"
    "    contract: {agreement: A, breach_contact: {name: N, phone: '1'}}\n"
    "    purposes: [testing]\n"
    "    agents: [{name: app, identity: {certificate: \"spiffe://tokens/app\"}}]\n"
    "    grants:\n"
    "      - dataset: customer\n"
    "        columns: {customer_id: token, full_name: token, email: domain, city: clear}\n"
    "      - {dataset: vehicle, columns: {vehicle_id: token, owner_id: token, registration: "
    "clear}}\n"
    "      - {dataset: service_visit, columns: {visit_id: clear, vehicle_id: token}}\n"
    "  counts:\n"
    "    contract: {agreement: A, breach_contact: {name: N, phone: '1'}}\n"
    "    purposes: [testing]\n"
    "    mode: aggregates\n"
    "    aggregates: {min_subjects: 10}\n"
    "    agents: [{name: app, identity: {certificate: \"spiffe://counts/app\"}}]\n"
    "    grants:\n"
    "      - {dataset: customer, columns: {customer_id: token, city: clear, balance: clear, "
    "birth_date: year}}\n"
    "      - {dataset: vehicle, columns: {owner_id: token, mileage: clear, model_id: clear}}\n"
    "      - {dataset: model, columns: all}\n"
    "  writer:\n"
    "    contract: {agreement: A, breach_contact: {name: N, phone: '1'}}\n"
    "    purposes: [testing]\n"
    "    agents: [{name: app, identity: {certificate: \"spiffe://writer/app\"}}]\n"
    "    grants:\n"
    "      - dataset: customer\n"
    "        rows: \"country = 'GB' AND NOT gone_away\"\n"
    "        columns: {customer_id: clear, full_name: clear, phone: last4, city: clear, balance: "
    "clear}\n"
    "        write: {update: [city, balance]}\n"
    "      - dataset: vehicle\n"
    "        columns: all\n"
    "        write: {insert: [vehicle_id, owner_id, registration], update: [registration], "
    "delete: true}\n"
    "      - dataset: service_visit\n"
    "        columns: all\n"
    "        write: {insert: [visit_id, vehicle_id], update: [pence]}\n"
    "      - {dataset: model, columns: all}\n"
    "  desk:\n"
    "    contract: {agreement: A, breach_contact: {name: N, phone: '1'}}\n"
    "    purposes: [testing]\n"
    "    lookup_by: [vehicle.registration]\n"
    "    agents: [{name: app, identity: {certificate: \"spiffe://desk/app\"}}]\n"
    "    grants:\n"
    "      - {dataset: customer, columns: {customer_id: token, full_name: clear, city: clear}}\n"
    "      - {dataset: vehicle, columns: {vehicle_id: clear, owner_id: token, registration: "
    "clear, model_id: clear}}\n"
    "      - {dataset: service_visit, columns: {visit_id: clear, vehicle_id: clear}}\n"
    "      - {dataset: model, columns: all}\n";

const char *plan_fixture_policy(const char *grants)
{
    static char text[16384];
    int len = snprintf(text, sizeof text, "%s%s%s", policy_head,
                       grants == NULL ? policy_grants : grants, policy_tail);
    CHECK(len > 0 && (size_t)len < sizeof text);
    return text;
}

#define BIGINT(name_, not_null_, unique_)                                                          \
    {                                                                                              \
        .name = name_, .type_oid = 20, .type_name = "bigint", .type_category = 'N',                \
        .type_builtin = true, .not_null = not_null_, .unique = unique_, .deterministic = true      \
    }
#define TYPED(name_, oid_, type_, category_)                                                       \
    {                                                                                              \
        .name = name_, .type_oid = oid_, .type_name = type_, .type_category = category_,           \
        .type_builtin = true, .deterministic = true                                                \
    }
#define TEXT(name_) TYPED(name_, 25, "text", 'S')

static const struct catalog_column customer_columns[] = {
    BIGINT("customer_id", true, true),
    TEXT("full_name"),
    TEXT("phone"),
    TYPED("birth_date", 1082, "date", 'D'),
    TEXT("city"),
    TEXT("country"),
    TYPED("gone_away", 16, "boolean", 'B'),
    TYPED("balance", 23, "integer", 'N'),
    TEXT("postcode"),
    TEXT("email"),
    TYPED("created_at", 1184, "timestamp with time zone", 'D'),
};
static const struct catalog_column enquirer_columns[] = {BIGINT("enquirer_id", true, true),
                                                         TEXT("full_name"), TEXT("city")};
static const struct catalog_column vehicle_columns[] = {BIGINT("vehicle_id", true, true),
                                                        BIGINT("owner_id", false, false),
                                                        {.name = "registration",
                                                         .type_oid = 25,
                                                         .type_name = "text",
                                                         .type_category = 'S',
                                                         .type_builtin = true,
                                                         .not_null = true,
                                                         .unique = true,
                                                         .deterministic = true},
                                                        TYPED("model_id", 23, "integer", 'N'),
                                                        TYPED("mileage", 23, "integer", 'N')};
static const struct catalog_column visit_columns[] = {
    BIGINT("visit_id", true, true), BIGINT("vehicle_id", true, false),
    TYPED("visited_on", 1082, "date", 'D'), BIGINT("pence", true, false)};
static const struct catalog_column line_columns[] = {BIGINT("line_id", true, true),
                                                     BIGINT("visit_id", true, false), TEXT("part")};
static const struct catalog_column model_columns[] = {{.name = "model_id",
                                                       .type_oid = 23,
                                                       .type_name = "integer",
                                                       .type_category = 'N',
                                                       .type_builtin = true,
                                                       .not_null = true,
                                                       .unique = true,
                                                       .deterministic = true},
                                                      TEXT("name")};

#define TABLE(name_, oid_, columns_)                                                               \
    {                                                                                              \
        "crm", name_, oid_, 'r', columns_, sizeof columns_ / sizeof *columns_                      \
    }

static const struct catalog_table tables[] = {
    TABLE("customer", 1, customer_columns), TABLE("enquirer", 2, enquirer_columns),
    TABLE("vehicle", 3, vehicle_columns),   TABLE("service_visit", 4, visit_columns),
    TABLE("service_line", 5, line_columns), TABLE("model", 6, model_columns),
};

struct catalog *plan_fixture_catalog(void)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    CHECK(catalog != NULL);
    arena_init(&catalog->arena, 4096);
    catalog->tables = tables;
    catalog->table_count = sizeof tables / sizeof *tables;
    catalog->server_version = "15.18";
    catalog->server_version_number = 150018;
    return catalog;
}

static const struct policy *load(const char *text, struct error *error)
{
    char path[] = "/tmp/cofferdam-plan-XXXXXX";
    const struct policy *policy = NULL;
    int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(fd) == 0);
    enum status status = policy_load(path, &policy, error);
    CHECK(unlink(path) == 0);
    return status == STATUS_OK ? policy : NULL;
}

enum status plan_fixture_bind_to(const char *policy_text, struct catalog *catalog,
                                 struct model **model, struct error *error)
{
    const struct policy *policy = load(policy_text, error);
    if (policy == NULL)
        return STATUS_NOT_FOUND;
    enum status status = model_bind(policy, catalog, model, error);
    policy_release(policy);
    return status;
}

enum status plan_fixture_bind(const char *policy_text, struct model **model, struct error *error)
{
    return plan_fixture_bind_to(policy_text, plan_fixture_catalog(), model, error);
}

static struct model *usual;

static void free_usual(void)
{
    model_release(usual);
}

void plan_fixture_use(struct model *model)
{
    assert_null(usual);
    usual = model;
    atexit(free_usual);
}

struct model *plan_fixture_model(void)
{
    struct error error = {0};
    if (usual != NULL)
        return usual;
    if (plan_fixture_bind(plan_fixture_policy(NULL), &usual, &error) != STATUS_OK)
        fail_msg("no model: %s (%s)", error.message, error.hint);
    atexit(free_usual);
    return usual;
}

static enum status make(const char *login, const char *sql, const uint32_t *types,
                        size_t type_count, struct plan **plan, struct error *error,
                        struct plan_inquiry *inquiry)
{
    struct model *model = plan_fixture_model();
    const struct policy_partner *partner = NULL;
    const struct policy_agent *agent = policy_find_agent(model_policy(model), login, &partner);
    assert_non_null(agent);
    struct plan_request request = {.model = model,
                                   .partner = partner,
                                   .agent = agent,
                                   .sql = sql,
                                   .parameter_types = types,
                                   .parameter_type_count = type_count,
                                   .statement_bytes_limit = 16384,
                                   .statement_depth_limit = 200,
                                   .now_ns = now_ns,
                                   .inquiry = inquiry};
    return plan_make(&request, plan, error);
}

enum status plan_fixture_make(const char *login, const char *sql, const uint32_t *types,
                              size_t type_count, struct plan **plan, struct error *error)
{
    return make(login, sql, types, type_count, plan, error, NULL);
}

enum status plan_fixture_ask(const char *login, const char *sql, struct plan_inquiry *inquiry,
                             struct plan **plan, struct error *error)
{
    plan_inquire(inquiry);
    return make(login, sql, NULL, 0, plan, error, inquiry);
}

struct plan *plan_accepted(const char *login, const char *sql)
{
    struct plan *plan = NULL;
    struct error error = {0};
    if (plan_fixture_make(login, sql, NULL, 0, &plan, &error) != STATUS_OK)
        fail_msg("refused: %s\n%s %s (%s)", sql, error.sqlstate, error.message, error.hint);
    return plan;
}

void plan_refused(const char *login, const char *sql, const char *sqlstate, const char *message)
{
    struct plan *plan = NULL;
    struct error error = {0};
    enum status status = plan_fixture_make(login, sql, NULL, 0, &plan, &error);
    if (status == STATUS_OK)
        fail_msg("accepted: %s\nas %s", sql, plan->sql == NULL ? "(nothing)" : plan->sql);
    assert_null(plan);
    if (strcmp(error.sqlstate, sqlstate) != 0 || strstr(error.message, message) == NULL)
        fail_msg("%s\nsays %s \"%s\", not %s \"%s\"", sql, error.sqlstate, error.message, sqlstate,
                 message);
}

static size_t hidden_number(char names[][18], size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(names[i], name) == 0)
            return i + 1;
    CHECK(*count < 200);
    memcpy(names[(*count)++], name, 18);
    return *count;
}

static size_t skipped(const char *at)
{
    static const char *const noise[] = {"\"pg_catalog\".", "\""};
    for (size_t i = 0; i < 2; i++)
        if (strncmp(at, noise[i], strlen(noise[i])) == 0)
            return strlen(noise[i]);
    return 0;
}

const char *plan_text(const struct plan *plan)
{
    static char text[65536];
    static char names[200][18];
    size_t count = 0, len = 0;
    for (const char *at = plan->sql; *at != 0 && len < sizeof text - 20;) {
        size_t skip = skipped(at);
        if (*at == 'h' && at > plan->sql && at[-1] == '"' && strlen(at) > 17 && at[17] == '"' &&
            strspn(at + 1, "0123456789abcdef") == 16) {
            char name[18] = {0};
            memcpy(name, at, 17);
            len += (size_t)snprintf(text + len, sizeof text - len, "h%zu",
                                    hidden_number(names, &count, name));
            at += 17;
        } else if (skip > 0)
            at += skip;
        else
            text[len++] = *at++;
    }
    text[len] = 0;
    return text;
}

void plan_has(const struct plan *plan, const char *part)
{
    if (strstr(plan_text(plan), part) == NULL)
        fail_msg("missing: %s\nin: %s", part, plan_text(plan));
}

void plan_has_not(const struct plan *plan, const char *part)
{
    if (strstr(plan_text(plan), part) != NULL)
        fail_msg("unexpected: %s\nin: %s", part, plan_text(plan));
}

void plan_accepts(const char *sql, const char *part)
{
    struct plan *plan = plan_accepted("acme.app", sql);
    plan_has(plan, part);
    plan_release(plan);
}

void plan_accepts_without(const char *sql, const char *part)
{
    struct plan *plan = plan_accepted("acme.app", sql);
    plan_has_not(plan, part);
    plan_release(plan);
}

const char *plan_hidden_columns(const struct plan_hidden *hidden)
{
    static const char *const forms[] = {"clear", "masked", "token"};
    static char text[1024];
    size_t len = 0;
    text[0] = 0;
    for (size_t i = 0; i < hidden->column_count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s.%s:%s", i == 0 ? "" : " ",
                                hidden->columns[i].dataset, hidden->columns[i].column,
                                forms[hidden->columns[i].form]);
    return text;
}
