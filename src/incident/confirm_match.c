/* Who fits a line: by key or token, then, where those find nobody, by e-mail address, telephone
 * number, name and postcode. What fits more than one person confirms nobody. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "incident/confirm_private.h"

/* ---- in scope ---- */

static void take_person(struct confirm_matcher *matcher, struct confirm_line *line, uint16_t kind,
                        const char *key, uint32_t at)
{
    bool same = line->found && line->found_kind == kind && strcmp(line->found_key, key) == 0;
    if (line->found && !same)
        line->several = true;
    if (line->found)
        return;
    line->found = true;
    line->found_kind = kind;
    line->found_key = arena_strdup(&matcher->arena, key);
    line->found_at = at;
}

static void match_key(struct confirm_matcher *matcher, struct confirm_line *line)
{
    const struct policy *policy = matcher->casework->policy;
    for (size_t k = 0; k < policy->kind_count; k++) {
        size_t at;
        if ((line->kind == CONFIRM_ANY_KIND || line->kind == k) &&
            scope_find(matcher->scope, (uint16_t)k, slice_of_text(line->key), &at) == STATUS_OK)
            take_person(matcher, line, (uint16_t)k, line->key, (uint32_t)at);
    }
}

static enum status match_token(struct confirm_matcher *matcher, struct confirm_line *line,
                               struct error *error)
{
    char key[256];
    if (matcher->tokens == NULL)
        TRY(confirm_tokens_open(matcher->casework, matcher->scope, &matcher->tokens, error));
    uint32_t at = confirm_tokens_find(matcher->tokens, line->token);
    if (at == CONFIRM_OUTSIDE)
        return STATUS_OK;
    const struct scope_person *person = &matcher->scope->people[at];
    TRY(scope_key(matcher->scope, person->id, key));
    take_person(matcher, line, person->kind, key, at);
    return STATUS_OK;
}

/* ---- in the database ---- */

/* A way to find somebody: the value of a line, and the column that it is held against. */
static const struct way {
    const char *field;
    size_t value; /* offset in struct confirm_line */
} ways[] = {
    {"key", offsetof(struct confirm_line, key)},
    {"email", offsetof(struct confirm_line, email)},
    {"phone", offsetof(struct confirm_line, phone)},
    {"name and postcode", offsetof(struct confirm_line, name_postcode)},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static const char *value_of(const struct confirm_line *line, size_t way)
{
    const char *value;
    memcpy(&value, (const char *)line + ways[way].value, sizeof value);
    return value;
}

/* One question: the lines that nobody fits yet and that have a value for this way. */
struct question {
    struct confirm_matcher *matcher;
    uint16_t kind;
    const char *values[CONFIRM_BATCH];
    struct confirm_line *lines[CONFIRM_BATCH];
    size_t count;
    const char *columns;
    uint32_t ids[2 * CONFIRM_BATCH]; /* of people in scope that were found, to be recorded */
    size_t id_count;
};

static int compare_ids(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* People outside the scope have no number of ours to be recorded by. */
static enum status record(struct question *question, struct error *error)
{
    struct casework *casework = question->matcher->casework;
    struct admin_client *admin;
    char purpose[64];
    size_t count = 0;
    if (question->id_count == 0)
        return STATUS_OK;
    qsort(question->ids, question->id_count, sizeof question->ids[0], compare_ids);
    for (size_t i = 0; i < question->id_count; i++)
        if (i == 0 || question->ids[i] != question->ids[i - 1])
            question->ids[count++] = question->ids[i];
    snprintf(purpose, sizeof purpose, "incident %" PRId64 " confirm",
             question->matcher->scope->incident.number);
    TRY(casework_admin(casework, &admin, error));
    question->id_count = 0;
    return admin_client_record_read(admin, casework->policy->kinds[question->kind].name,
                                    question->columns, purpose, question->ids, count, error);
}

static enum status take_match(void *context, size_t at, const char *key, struct error *error)
{
    struct question *question = context;
    struct confirm_matcher *matcher = question->matcher;
    size_t place;
    bool inside =
        scope_find(matcher->scope, question->kind, slice_of_text(key), &place) == STATUS_OK;
    if (question->id_count == 2 * CONFIRM_BATCH) /* many fit each line */
        TRY(record(question, error));
    if (inside)
        question->ids[question->id_count++] = matcher->scope->people[place].id;
    take_person(matcher, question->lines[at], question->kind, key,
                inside ? (uint32_t)place : CONFIRM_OUTSIDE);
    if (matcher->arena.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    return STATUS_OK;
}

static enum status ask(struct question *question, size_t way, struct error *error)
{
    struct confirm_matcher *matcher = question->matcher;
    struct buffer columns;
    question->count = question->id_count = 0;
    for (size_t i = 0; i < matcher->count; i++) {
        struct confirm_line *line = &matcher->lines[i];
        if (line->settled || value_of(line, way) == NULL ||
            (line->kind != CONFIRM_ANY_KIND && line->kind != question->kind))
            continue;
        question->lines[question->count] = line;
        question->values[question->count++] = value_of(line, way);
    }
    buffer_init(&columns, 4096);
    contact_match_columns(&matcher->casework->policy->kinds[question->kind], ways[way].field,
                          &columns);
    question->columns = buffer_text(&columns);
    enum status status = question->columns != NULL
                             ? STATUS_OK
                             : error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (status == STATUS_OK && question->count > 0 && columns.len > 0)
        status = contact_match(matcher->reader, question->kind, ways[way].field, question->values,
                               question->count, take_match, question, error);
    if (status == STATUS_OK && columns.len > 0)
        status = record(question, error);
    buffer_free(&columns);
    return status;
}

/* A line is settled once a way has found somebody: a weaker one adds nothing. */
static void settle(struct confirm_matcher *matcher)
{
    for (size_t i = 0; i < matcher->count; i++)
        matcher->lines[i].settled = matcher->lines[i].found;
}

static enum status ask_all(struct confirm_matcher *matcher, struct question *question,
                           struct error *error)
{
    const struct policy *policy = matcher->casework->policy;
    for (size_t way = 0; way < WAYS; way++) {
        for (size_t k = 0; k < policy->kind_count; k++) {
            question->kind = (uint16_t)k;
            TRY(ask(question, way, error));
        }
        settle(matcher);
    }
    return STATUS_OK;
}

enum status confirm_match(struct confirm_matcher *matcher, struct error *error)
{
    for (size_t i = 0; i < matcher->count; i++) {
        if (matcher->lines[i].key != NULL)
            match_key(matcher, &matcher->lines[i]);
        if (matcher->lines[i].token != NULL)
            TRY(match_token(matcher, &matcher->lines[i], error));
    }
    settle(matcher);
    if (matcher->arena.overflowed)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    if (matcher->reader == NULL)
        return STATUS_OK;
    struct question *question = calloc(1, sizeof *question);
    if (question == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    question->matcher = matcher;
    enum status status = ask_all(matcher, question, error);
    free(question);
    return status;
}
