/* Facts of a notice: read from the case file when it is planned, kept with it when it is approved,
 * so that the same notice says the same thing however long it takes to send.
 * The kept form is a first line "notice-settings 1", then "name=value" a line; in values a newline
 * is \n and a backslash \\. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "incident/notice_private.h"

enum {
    FACTS_ROOM = 64,
    SETTINGS_BYTES = 256 * 1024,
    NAME_BYTES = 128,
    FILINGS_BYTES = 1024 * 1024
};

static const char first_line[] = "notice-settings 1\n";

/* Facts of the case file that a notice uses: in every language alike, and in words of one. */
static const char *const plain[] = {"partner_public_name", "notice_held_elsewhere", NULL};
static const char *const worded[] = {"partner_service", "notice_what_happened",
                                     "notice_consequences", "notice_measures", NULL};

static enum status add(struct notice_facts *facts, const char *name, const char *value,
                       struct arena *arena, struct error *error)
{
    if (value == NULL || value[0] == '\0')
        return STATUS_OK;
    if (facts->count == FACTS_ROOM)
        return error_set(error, STATUS_LIMIT, "54000", NULL, "too many facts in a notice");
    struct notice_fact fact = {arena_strdup(arena, name), arena_strdup(arena, value)};
    if (fact.name == NULL || fact.value == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the notice's facts");
    facts->facts[facts->count++] = fact;
    return STATUS_OK;
}

static enum status add_number(struct notice_facts *facts, const char *name, int64_t number,
                              struct arena *arena, struct error *error)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    return add(facts, name, number == INT64_MIN ? NULL : text, arena, error);
}

static enum status start(struct arena *arena, struct notice_facts *facts, struct error *error)
{
    *facts = (struct notice_facts){.facts = arena_array(arena, struct notice_fact, FACTS_ROOM)};
    return facts->facts != NULL
               ? STATUS_OK
               : error_set(error, STATUS_NOMEM, "53200", NULL, "no room for the notice's facts");
}

static void name_in(const char *name, const char *language, char text[static NAME_BYTES])
{
    bool english = language == NULL || strcmp(language, "en") == 0;
    snprintf(text, NAME_BYTES, "%s%s%s", name, english ? "" : "_", english ? "" : language);
}

/* The first authority that was told, and when. */
static enum status read_filing(const struct casework *casework, const struct scope *scope,
                               struct arena *arena, struct notice_facts *facts, struct error *error)
{
    struct table filings = {0};
    enum status status =
        incidents_filings(casework->incidents, scope->incident.number, &filings, error);
    const struct table_row *row = status == STATUS_OK ? filings.first : NULL;
    int64_t at_ns = INT64_MIN;
    if (row != NULL && row->cells[0] != NULL && row->cells[2] != NULL)
        status = clock_parse(row->cells[2], &at_ns, error);
    if (status == STATUS_OK && at_ns != INT64_MIN)
        status = add(facts, "reported_to", row->cells[0], arena, error);
    if (status == STATUS_OK)
        status = add_number(facts, "reported", at_ns, arena, error);
    table_free(&filings);
    return status;
}

enum status notice_facts_read(const struct casework *casework, const struct scope *scope,
                              const char *const *languages, size_t language_count,
                              scope_grades grades, struct arena *arena, struct notice_facts *facts,
                              struct error *error)
{
    int64_t number = scope->incident.number;
    const char *value;
    TRY(start(arena, facts, error));
    TRY(add_number(facts, "grades", (int64_t)grades, arena, error));
    TRY(add_number(facts, "noticed", scope->incident.noticed_ns, arena, error));
    TRY(add_number(facts, "contained", scope->incident.contained_ns, arena, error));
    TRY(add_number(facts, "since", scope->ledger_first_ns, arena, error));
    TRY(read_filing(casework, scope, arena, facts, error));
    for (size_t i = 0; plain[i] != NULL; i++) {
        TRY(incidents_get_fact(casework->incidents, number, plain[i], arena, &value, error));
        TRY(add(facts, plain[i], value, arena, error));
    }
    for (size_t i = 0; worded[i] != NULL; i++) {
        for (size_t j = 0; j < language_count; j++) {
            char name[NAME_BYTES];
            name_in(worded[i], languages[j], name);
            TRY(incidents_get_fact(casework->incidents, number, name, arena, &value, error));
            TRY(add(facts, name, value, arena, error));
        }
    }
    return STATUS_OK;
}

const char *notice_fact(const struct notice_facts *facts, const char *name, const char *language)
{
    char wanted[NAME_BYTES];
    name_in(name, language, wanted);
    for (size_t i = 0; i < facts->count; i++)
        if (strcmp(facts->facts[i].name, wanted) == 0)
            return facts->facts[i].value;
    return NULL;
}

int64_t notice_fact_time(const struct notice_facts *facts, const char *name)
{
    const char *value = notice_fact(facts, name, NULL);
    return value == NULL ? INT64_MIN : strtoll(value, NULL, 10);
}

const char *notice_facts_write(const struct notice_facts *facts, struct arena *arena)
{
    struct buffer out;
    buffer_init(&out, SETTINGS_BYTES);
    buffer_append_text(&out, first_line);
    for (size_t i = 0; i < facts->count; i++) {
        buffer_printf(&out, "%s=", facts->facts[i].name);
        for (const char *at = facts->facts[i].value; *at != '\0'; at++) {
            if (*at == '\n' || *at == '\\')
                buffer_append_text(&out, *at == '\n' ? "\\n" : "\\\\");
            else
                buffer_append_u8(&out, (uint8_t)*at);
        }
        buffer_append_u8(&out, '\n');
    }
    const char *text = buffer_text(&out);
    const char *copy = text == NULL ? NULL : arena_strdup(arena, text);
    buffer_free(&out);
    return copy;
}

/* Undoes the escapes in place. */
static void unescape(char *text)
{
    char *to = text;
    for (; *text != '\0'; text++) {
        if (*text == '\\' && text[1] != '\0')
            *to++ = *++text == 'n' ? '\n' : *text;
        else
            *to++ = *text;
    }
    *to = '\0';
}

enum status notice_facts_parse(const char *settings, struct arena *arena,
                               struct notice_facts *facts, struct error *error)
{
    TRY(start(arena, facts, error));
    size_t head = strlen(first_line);
    if (settings == NULL || strncmp(settings, first_line, head) != 0)
        return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                         "the approved notice's settings cannot be read");
    for (const char *at = settings + head; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        char *line = arena_copy(arena, at, len);
        char *equals = line == NULL ? NULL : strchr(line, '=');
        if (equals == NULL)
            return error_set(error, STATUS_CORRUPT, "XX001", NULL,
                             "the approved notice's settings cannot be read");
        *equals = '\0';
        unescape(equals + 1);
        TRY(add(facts, line, equals + 1, arena, error));
        at += len + (at[len] == '\n');
    }
    return STATUS_OK;
}
