/* Answers about exposure: who has been disclosed to whom. */
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { STATEMENTS_USUAL = 20, STATEMENTS_MOST = 100000 };

typedef enum status (*exposure_question)(struct exposure *, const struct policy *, const char *,
                                         int64_t, int64_t, struct table *, struct error *);

static enum status period_of(struct asking *asking, int64_t *from, int64_t *to, struct error *error)
{
    const char *from_text = admin_option(asking, "FROM"), *to_text = admin_option(asking, "TO");
    *from = INT64_MIN;
    *to = INT64_MAX;
    if (from_text != NULL)
        TRY(clock_parse(from_text, from, error));
    return to_text == NULL ? STATUS_OK : clock_parse(to_text, to, error);
}

static enum status ask_exposure(struct asking *asking, exposure_question question,
                                struct table *table, struct error *error)
{
    int64_t from, to;
    TRY(period_of(asking, &from, &to, error));
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = question(asking->server->exposure, snapshot->policy,
                                  admin_option(asking, "PARTNER"), from, to, table, error);
    snapshot_release(snapshot);
    return status;
}

enum status admin_show_exposure(struct asking *asking, struct table *table, struct error *error)
{
    return ask_exposure(asking, exposure_summary, table, error);
}

enum status admin_show_written(struct asking *asking, struct table *table, struct error *error)
{
    return ask_exposure(asking, exposure_only_written, table, error);
}

enum status admin_show_categories(struct asking *asking, struct table *table, struct error *error)
{
    return ask_exposure(asking, exposure_by_category, table, error);
}

enum status admin_show_combinations(struct asking *asking, struct table *table, struct error *error)
{
    return ask_exposure(asking, exposure_combinations, table, error);
}

enum status admin_show_never(struct asking *asking, struct table *table, struct error *error)
{
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = exposure_never(asking->server->exposure, snapshot->policy,
                                        admin_option(asking, "PARTNER"), table, error);
    snapshot_release(snapshot);
    return status;
}

enum status admin_show_net(struct asking *asking, struct table *table, struct error *error)
{
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = exposure_net(asking->server->exposure, snapshot->policy,
                                      admin_option(asking, "PARTNER"), table, error);
    snapshot_release(snapshot);
    return status;
}

enum status admin_show_overlap(struct asking *asking, struct table *table, struct error *error)
{
    int64_t from, to;
    const char *first = admin_option(asking, "PARTNER"), *second = admin_option(asking, "WITH");
    if (first == NULL || second == NULL)
        return admin_syntax(error, "SHOW OVERLAP PARTNER 'p' WITH 'q' [FROM 't'] [TO 't']");
    TRY(period_of(asking, &from, &to, error));
    struct snapshot *snapshot = server_snapshot(asking->server);
    enum status status = exposure_overlap(asking->server->exposure, snapshot->policy, first, second,
                                          from, to, table, error);
    snapshot_release(snapshot);
    return status;
}

/* 1 to STATEMENTS_MOST, in digits alone. */
static enum status most_of(const struct asking *asking, size_t *most, struct error *error)
{
    const char *text = admin_option(asking, "MOST");
    char *rest;
    *most = STATEMENTS_USUAL;
    if (text == NULL)
        return STATUS_OK;
    unsigned long value = strtoul(text, &rest, 10);
    if (text[0] < '0' || text[0] > '9' || *rest != '\0' || value < 1 || value > STATEMENTS_MOST)
        return error_set(error, STATUS_DENIED, "22023", "a number from 1 to 100000",
                         "MOST is no such number: \"%.40s\"", text);
    *most = value;
    return STATUS_OK;
}

enum status admin_show_statements(struct asking *asking, struct table *table, struct error *error)
{
    enum { FOLDER_ROOM = 4096 };
    int64_t from, to;
    size_t most;
    char index[FOLDER_ROOM], ledger[FOLDER_ROOM];
    const struct server *server = asking->server;
    const char *partner = admin_option(asking, "PARTNER");
    if (partner == NULL)
        return admin_syntax(error, "SHOW STATEMENTS PARTNER 'p' [FROM 't'] [TO 't'] [MOST 'n']");
    TRY(period_of(asking, &from, &to, error));
    TRY(most_of(asking, &most, error));
    const char *state = server->config->state_folder;
    if (snprintf(ledger, sizeof ledger, "%s/ledger", state) >= FOLDER_ROOM ||
        snprintf(index, sizeof index, "%s/exposure", state) >= FOLDER_ROOM)
        return error_set(error, STATUS_INVALID, "F0000", NULL, "the folder's name is too long");
    return exposure_statements(index, ledger, partner, from, to, most, table, error);
}

enum status admin_show_subject(struct asking *asking, struct table *table, struct error *error)
{
    const struct words *words = asking->words;
    if (words->count < asking->at + 2)
        return admin_syntax(error, "SHOW SUBJECT 'kind' 'key'");
    struct snapshot *snapshot = server_snapshot(asking->server);
    const char *name = words->text[asking->at];
    const struct policy_kind *kind = policy_find_kind(snapshot->policy, name);
    enum status status;
    if (kind == NULL)
        status = error_set(error, STATUS_NOT_FOUND, "42704", "kinds are named under subjects:",
                           "\"%.60s\" is no kind of subject in the policy", name);
    else
        status =
            exposure_subject(asking->server->exposure, (uint16_t)(kind - snapshot->policy->kinds),
                             slice_of_text(words->text[asking->at + 1]), table, error);
    snapshot_release(snapshot);
    return status;
}
