/* What staff tell the case about the breach. See facts.h. */
#include "incident/facts.h"

#include <string.h>

#include "base/clock.h"
#include "policy/suggest.h"

enum { MOST_FACTS = 512, HINT_ROOM = 300, TABLE_BYTES = 16 * 1024 * 1024, PATH_BYTES = 16 * 1024 };

enum status facts_load(const struct casework *casework, struct words **questions,
                       struct error *error)
{
    struct arena arena;
    const char *path = NULL;
    arena_init(&arena, PATH_BYTES);
    enum status status = casework_data(casework, "reports/facts.yaml", &arena, &path, error);
    if (status == STATUS_OK)
        status = words_load(path, questions, error);
    arena_free(&arena);
    return status;
}

static enum status unknown_fact(const struct words *questions, const char *name,
                                struct error *error)
{
    const char *names[MOST_FACTS + 1] = {NULL}, *key;
    char hint[HINT_ROOM] = "cofferdam incident fact N --list shows them all";
    for (size_t i = 0; i < MOST_FACTS && (key = words_key(questions, "facts", i)) != NULL; i++)
        names[i] = key;
    const char *nearest = suggest_nearest(name, names);
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean %.100s?", nearest);
    return error_set(error, STATUS_NOT_FOUND, "42704", hint, "there is no fact \"%.60s\"", name);
}

/* answers: "yes | no | not known". */
static bool is_answer(const char *answers, const char *value)
{
    static const char between[] = " | ";
    for (const char *at = answers;;) {
        const char *end = strstr(at, between);
        size_t len = end == NULL ? strlen(at) : (size_t)(end - at);
        if (strlen(value) == len && strncmp(at, value, len) == 0)
            return true;
        if (end == NULL)
            return false;
        at = end + strlen(between);
    }
}

enum status facts_check(const struct words *questions, const char *name, const char *value,
                        struct error *error)
{
    if (words_get(questions, "facts", name) == NULL)
        return unknown_fact(questions, name, error);
    if (value[0] == '\0' || strlen(value) > FACTS_VALUE_BYTES)
        return error_set(error, STATUS_INVALID, "22023", NULL,
                         "%s: a fact is a text of 1 to %d bytes", name, FACTS_VALUE_BYTES);
    const char *answers = words_get(questions, "values", name);
    if (answers != NULL && !is_answer(answers, value))
        return error_set(error, STATUS_INVALID, "22023", answers, "%s: \"%.60s\" is no answer",
                         name, value);
    return STATUS_OK;
}

enum status facts_give(struct casework *casework, int64_t number, const char *name,
                       const char *value, struct error *error)
{
    struct words *questions = NULL;
    TRY(casework_check_open(casework, number, error));
    TRY(facts_load(casework, &questions, error));
    enum status status = facts_check(questions, name, value, error);
    words_free(questions);
    TRY(status);
    return incidents_set_fact(casework->incidents, number, name, value, casework->by,
                              clock_now_ns(), error);
}

enum status facts_list(struct casework *casework, int64_t number, struct table *table,
                       struct error *error)
{
    static const char *const columns[] = {"name", "question", "answers", "value", NULL};
    struct words *questions = NULL;
    struct arena arena;
    TRY(facts_load(casework, &questions, error));
    arena_init(&arena, TABLE_BYTES);
    table_init(table, TABLE_BYTES, columns);
    enum status status = STATUS_OK;
    const char *name;
    for (size_t i = 0; status == STATUS_OK && (name = words_key(questions, "facts", i)) != NULL;
         i++) {
        const char *answers = words_get(questions, "values", name), *value = NULL;
        status = incidents_get_fact(casework->incidents, number, name, &arena, &value, error);
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", name);
        table_set(table, row, 1, "%s", words_get(questions, "facts", name));
        if (answers != NULL)
            table_set(table, row, 2, "%s", answers);
        if (value != NULL)
            table_set(table, row, 3, "%s", value);
    }
    arena_free(&arena);
    words_free(questions);
    if (status != STATUS_OK)
        table_free(table);
    return status;
}
