/* Reading how people can be reached. A connection of our own, settings pinned, read only; every
 * call is one statement, and its result is cleared before the call returns. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "contact/private.h"
#include "crypto/crypto.h"

enum {
    SQL_BYTES = 64 * 1024,
    TEXTS_BYTES = 16 * 1024 * 1024,
    SECRET_BYTES = 4096,
    ARRAY_BYTES = 64 * 1024 * 1024,
    MOST_KEYS = 10000,
    STATEMENT_TIMEOUT_MS = 60000,
    KEY_ROOM = 256
};

/* ---- the connection ---- */

/* What libpq says of a connection is for the operator. What the server says of a statement may hold
 * values: of that only the SQLSTATE is told. */
static enum status connect_failed(PGconn *connection, struct error *error)
{
    const char *text = PQerrorMessage(connection);
    return error_set(error, STATUS_IO, "08001",
                     "check contact: and upstream: in cofferdam.yaml, and `cofferdam grants "
                     "--contact`",
                     "contact role: %.*s", (int)strcspn(text, "\r\n"), text);
}

static enum status query_failed(PGconn *connection, const PGresult *result, struct error *error)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (sqlstate == NULL || PQstatus(connection) != CONNECTION_OK)
        return error_set(error, STATUS_IO, "08006", "try again",
                         "the connection of the contact role broke");
    return error_set(error, STATUS_IO, sqlstate, "look with `cofferdam check`",
                     "the database refused to read contact data (SQLSTATE %s)", sqlstate);
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context, (void)result;
}

/* libpq takes whatever an option leaves open from variables that begin with PG. */
static void forget_environment(void)
{
    for (char **at = environ; at != NULL && *at != NULL;) {
        char name[64];
        size_t len = strcspn(*at, "=");
        if (strncmp(*at, "PG", 2) != 0 || len >= sizeof name) {
            at++;
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)len, *at);
        unsetenv(name); /* moves the rest down */
    }
}

static PGconn *connect_with(const struct config *config, const char *password)
{
    char port[8], timeout[16], settings[200];
    bool local = config->upstream.host[0] == '/' || config->upstream.tls_off;
    snprintf(port, sizeof port, "%u", config->upstream.port);
    snprintf(timeout, sizeof timeout, "%u", config->upstream.connect_timeout_ms / 1000 + 1);
    snprintf(settings, sizeof settings,
             "-c default_transaction_read_only=on -c search_path=pg_catalog -c "
             "statement_timeout=%d -c lock_timeout=10000 -c DateStyle=ISO -c TimeZone=Etc/UTC",
             STATEMENT_TIMEOUT_MS);
    const struct {
        const char *name, *value;
    } options[] = {
        {"host", config->upstream.host},
        {"port", port},
        {"dbname", config->upstream.database},
        {"user", config->contact.user},
        {"password", password},
        {"passfile", "/dev/null"},
        {"connect_timeout", timeout},
        {"sslmode", local ? "disable" : "verify-full"},
        {"sslrootcert", local ? NULL : config->upstream.tls_ca},
        {"sslcert", "/nonexistent"},
        {"gssencmode", "disable"},
        {"client_encoding", "UTF8"},
        {"application_name", "cofferdam contact"},
        {"options", settings},
    };
    enum { OPTIONS = sizeof options / sizeof options[0] };
    const char *keywords[OPTIONS + 1] = {NULL}, *values[OPTIONS + 1] = {NULL};
    for (size_t i = 0; i < OPTIONS; i++) {
        keywords[i] = options[i].name;
        values[i] = options[i].value;
    }
    forget_environment();
    return PQconnectdbParams(keywords, values, 0);
}

enum status contact_connect(const struct config *config, PGconn **out, struct error *error)
{
    struct buffer password;
    if (config->contact.user == NULL)
        return error_set(error, STATUS_INVALID, "F0000",
                         "write contact: {user: cofferdam_contact, password_file: …} into "
                         "cofferdam.yaml, and run what `cofferdam grants --contact` prints",
                         "no role is configured that may read how people can be reached");
    buffer_init(&password, SECRET_BYTES);
    PGconn *connection = NULL;
    enum status status = STATUS_OK;
    if (config->contact.password_file != NULL)
        status = file_read_secret(config->contact.password_file, &password, error);
    if (status == STATUS_OK)
        connection = connect_with(config, password.len > 0 ? buffer_text(&password) : NULL);
    if (password.data != NULL)
        crypto_wipe(password.data, password.capacity);
    buffer_free(&password);
    if (status == STATUS_OK && PQstatus(connection) != CONNECTION_OK)
        status = connect_failed(connection, error);
    if (status != STATUS_OK) {
        PQfinish(connection);
        return status;
    }
    PQsetNoticeReceiver(connection, ignore_notice, NULL);
    *out = connection;
    return STATUS_OK;
}

enum status contact_query(PGconn *connection, const char *sql, const char *const *values,
                          int value_count, PGresult **out, struct error *error)
{
    PGresult *result = PQexecParams(connection, sql, value_count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        enum status status = query_failed(connection, result, error);
        PQclear(result);
        return status;
    }
    *out = result;
    return STATUS_OK;
}

/* ---- opening ---- */

/* The key's type, domains followed to what they are made of. A typmod of -1 gives the name that a
 * cast without a length needs: bpchar, where NULL would give character, of one. */
static const char key_type_sql[] =
    "WITH RECURSIVE up(oid, base) AS ("
    "  SELECT t.oid, CASE WHEN t.typtype = 'd' THEN t.typbasetype END"
    "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
    "  JOIN pg_type t ON t.oid = a.atttypid"
    "  WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = $3"
    "  UNION ALL SELECT t.oid, CASE WHEN t.typtype = 'd' THEN t.typbasetype END"
    "  FROM up JOIN pg_type t ON t.oid = up.base)"
    " SELECT format_type(oid, -1) FROM up WHERE base IS NULL";

static enum status find_key_type(struct contact_reader *reader, size_t kind, struct error *error)
{
    const struct policy_kind *wanted = &reader->policy->kinds[kind];
    const struct policy_dataset *dataset = contact_dataset(reader->policy, wanted);
    const char *const values[] = {dataset->schema, dataset->table, wanted->key};
    PGresult *result;
    TRY(contact_query(reader->connection, key_type_sql, values, 3, &result, error));
    if (PQntuples(result) == 1)
        reader->key_types[kind] = arena_strdup(&reader->arena, PQgetvalue(result, 0, 0));
    bool missing = PQntuples(result) != 1;
    PQclear(result);
    if (missing)
        return error_set(error, STATUS_INVALID, "42703", "look with `cofferdam check`",
                         "the database has no column %s.%s.%s", dataset->schema, dataset->table,
                         wanted->key);
    return STATUS_OK;
}

static const char *keep(struct contact_reader *reader, struct buffer *text)
{
    const char *kept = buffer_text(text) == NULL
                           ? NULL
                           : arena_copy(&reader->arena, (const char *)text->data, text->len);
    buffer_clear(text);
    return kept;
}

struct column_walk {
    struct buffer *text;
    const char *dataset;
};

static void append_recorded(void *context, const char *column)
{
    struct column_walk *walk = context;
    buffer_printf(walk->text, "%s%s.%s", walk->text->len == 0 ? "" : ",", walk->dataset, column);
}

static void make_texts(struct contact_reader *reader, size_t kind, struct buffer *text)
{
    const struct policy_kind *of = &reader->policy->kinds[kind];
    struct contact_sql *texts = &reader->kinds[kind];
    struct column_walk walk = {text, of->dataset};
    contact_each_column(of, false, append_recorded, &walk);
    texts->read_columns = keep(reader, text);
    contact_each_column(of, true, append_recorded, &walk);
    texts->traits_columns = keep(reader, text);
    contact_sql_read(reader->policy, of, reader->key_types[kind], false, text);
    texts->read = keep(reader, text);
    contact_sql_read(reader->policy, of, reader->key_types[kind], true, text);
    texts->traits = keep(reader, text);
}

static enum status prepare(struct contact_reader *reader, struct error *error)
{
    struct buffer text;
    size_t count = reader->policy->kind_count;
    reader->kinds = arena_array(&reader->arena, struct contact_sql, count);
    reader->key_types = arena_array(&reader->arena, const char *, count);
    buffer_init(&text, SQL_BYTES);
    enum status status = STATUS_OK;
    for (size_t k = 0; k < count && !reader->arena.overflowed && status == STATUS_OK; k++) {
        if (!contact_is_known(&reader->policy->kinds[k]))
            continue;
        status = find_key_type(reader, k, error);
        if (status == STATUS_OK && reader->key_types[k] != NULL)
            make_texts(reader, k, &text);
    }
    if (status == STATUS_OK && (reader->arena.overflowed || text.overflowed))
        status = error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    buffer_free(&text);
    return status;
}

enum status contact_open(const struct config *config, const struct policy *policy,
                         struct contact_reader **out, struct error *error)
{
    struct contact_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    reader->policy = policy_retain(policy);
    arena_init(&reader->arena, TEXTS_BYTES);
    enum status status = contact_connect(config, &reader->connection, error);
    if (status == STATUS_OK)
        status = prepare(reader, error);
    if (status == STATUS_OK)
        *out = reader;
    else
        contact_close(reader);
    return status;
}

void contact_close(struct contact_reader *reader)
{
    if (reader == NULL)
        return;
    PQfinish(reader->connection);
    arena_free(&reader->arena);
    policy_release(reader->policy);
    free(reader);
}

static enum status texts_of(const struct contact_reader *reader, size_t kind,
                            const struct contact_sql **texts, struct error *error)
{
    if (kind >= reader->policy->kind_count || reader->kinds[kind].read == NULL)
        return error_set(error, STATUS_INVALID, "F0000", "add contact: to that kind in the policy",
                         "the policy names no column by which these people can be reached");
    *texts = &reader->kinds[kind];
    return STATUS_OK;
}

const char *contact_columns(struct contact_reader *reader, size_t kind, bool traits)
{
    struct error ignored;
    const struct contact_sql *texts = NULL;
    if (texts_of(reader, kind, &texts, &ignored) != STATUS_OK)
        return "";
    return traits ? texts->traits_columns : texts->read_columns;
}

/* ---- reading ---- */

enum { POSITION, FIRST_TEXT, TEXTS = 6, BIRTH_DAY = FIRST_TEXT + TEXTS, FLAGS, LINES = FLAGS + 3 };

static const char *cell(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) ? NULL : PQgetvalue(result, row, column);
}

static bool is_blank(const char *text)
{
    return text == NULL || text[strspn(text, " \t\r\n")] == '\0';
}

/* Instants are nanoseconds, so days beyond 1677 and 2262 are no birthdays: such dates are
 * stand-ins. */
static int32_t read_birth_day(const char *text)
{
    enum { MOST_DAYS = 106000 };
    long day = text == NULL ? LONG_MIN : strtol(text, NULL, 10);
    return day < -MOST_DAYS || day > MOST_DAYS ? INT32_MIN : (int32_t)day;
}

static void fill_person(const PGresult *result, int row, struct contact_person *person)
{
    const char *texts[TEXTS];
    for (int i = 0; i < TEXTS; i++)
        texts[i] = cell(result, row, FIRST_TEXT + i);
    bool flags[3];
    for (int i = 0; i < 3; i++) {
        const char *flag = cell(result, row, FLAGS + i);
        flags[i] = flag != NULL && flag[0] == 't';
    }
    *person = (struct contact_person){
        .at = (size_t)strtoull(PQgetvalue(result, row, POSITION), NULL, 10) - 1,
        .name = texts[0],
        .email = texts[1],
        .phone = texts[2],
        .language = texts[3],
        .brand = texts[4],
        .country = texts[5],
        .birth_day = read_birth_day(cell(result, row, BIRTH_DAY)),
        .gone_away = flags[0],
        .deceased = flags[1],
        .safe_contact = flags[2],
    };
    for (int i = LINES; i < PQnfields(result); i++)
        if (!is_blank(cell(result, row, i)))
            person->post[person->post_count++] = cell(result, row, i);
}

/* Runs a statement whose only parameter is an array of texts. */
static enum status query_array(struct contact_reader *reader, const char *sql,
                               const char *const *texts, size_t count, PGresult **result,
                               struct error *error)
{
    struct buffer array;
    buffer_init(&array, ARRAY_BYTES);
    contact_sql_array(&array, texts, count);
    const char *value = buffer_text(&array);
    enum status status = count > MOST_KEYS || value == NULL
                             ? error_set(error, STATUS_LIMIT, "54000", NULL,
                                         "more than %d are asked for at once", MOST_KEYS)
                             : contact_query(reader->connection, sql, &value, 1, result, error);
    if (array.data != NULL)
        crypto_wipe(array.data, array.capacity);
    buffer_free(&array);
    return status;
}

static enum status read_people(struct contact_reader *reader, const char *sql,
                               const char *const *keys, size_t count, contact_take take,
                               void *context, struct error *error)
{
    PGresult *result;
    TRY(query_array(reader, sql, keys, count, &result, error));
    enum status status = STATUS_OK;
    size_t last = SIZE_MAX;
    for (int row = 0; row < PQntuples(result) && status == STATUS_OK; row++) {
        struct contact_person person;
        fill_person(result, row, &person);
        if (person.at == last) /* the key's column is not unique: a person is one all the same */
            continue;
        last = person.at;
        status = take(context, &person, error);
    }
    PQclear(result);
    return status;
}

enum status contact_read(struct contact_reader *reader, size_t kind, const char *const *keys,
                         size_t count, contact_take take, void *context, struct error *error)
{
    const struct contact_sql *texts = NULL;
    TRY(texts_of(reader, kind, &texts, error));
    return read_people(reader, texts->read, keys, count, take, context, error);
}

enum status contact_read_traits(struct contact_reader *reader, size_t kind, const char *const *keys,
                                size_t count, contact_take take, void *context, struct error *error)
{
    const struct contact_sql *texts = NULL;
    TRY(texts_of(reader, kind, &texts, error));
    return read_people(reader, texts->traits, keys, count, take, context, error);
}

/* ---- matching ---- */

enum status contact_match(struct contact_reader *reader, size_t kind, const char *field,
                          const char *const *values, size_t count, contact_matched fn,
                          void *context, struct error *error)
{
    const struct contact_sql *texts = NULL;
    struct buffer sql;
    PGresult *result = NULL;
    TRY(texts_of(reader, kind, &texts, error));
    buffer_init(&sql, SQL_BYTES);
    enum status status =
        contact_sql_match(reader->policy, &reader->policy->kinds[kind], field, &sql, error);
    if (status == STATUS_OK)
        status = query_array(reader, buffer_text(&sql), values, count, &result, error);
    for (int row = 0; status == STATUS_OK && row < PQntuples(result); row++)
        status = fn(context, (size_t)strtoull(PQgetvalue(result, row, 0), NULL, 10) - 1,
                    PQgetvalue(result, row, 1), error);
    PQclear(result);
    buffer_free(&sql);
    return status;
}

struct gathering {
    char (*keys)[KEY_ROOM];
    size_t room, count;
};

static enum status gather(void *context, size_t at, const char *key, struct error *error)
{
    struct gathering *gathering = context;
    (void)at;
    if (strlen(key) >= KEY_ROOM)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "a key is longer than %d bytes",
                         KEY_ROOM - 1);
    if (gathering->count < gathering->room)
        memcpy(gathering->keys[gathering->count], key, strlen(key) + 1);
    gathering->count++;
    return STATUS_OK;
}

enum status contact_find(struct contact_reader *reader, size_t kind, const char *field,
                         const char *value, char (*keys)[256], size_t room, size_t *count,
                         struct error *error)
{
    struct gathering gathering = {keys, room, 0};
    TRY(contact_match(reader, kind, field, &value, 1, gather, &gathering, error));
    *count = gathering.count;
    return STATUS_OK;
}
