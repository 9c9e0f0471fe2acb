/* Prepared statements and portals by name. */
#include "gateway/statement/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/statement/cursors.h"

enum { CACHED_STATEMENTS = 256, PREPARE_AT_USES = 2 };

static size_t bucket_of(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash % STATEMENT_BUCKETS;
}

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
}

uint64_t statements_segment(const struct session *session)
{
    return session->syncs + 1;
}

/* Hands a new one to the session: upstream's unnamed statement is overwritten, others join. */
static void adopt(struct session *session, struct prepared *made)
{
    if (made->name[0] == '\0') {
        if (session->unnamed != NULL)
            statements_lose(session, session->unnamed);
        session->unnamed = prepared_retain(made);
        return;
    }
    made->next = session->prepared;
    session->prepared = prepared_retain(made);
    session->prepared_count++;
}

enum status statements_choose(struct session *session, struct planned *planned, bool named,
                              struct prepared **prepared, bool *fresh, struct error *error)
{
    uint64_t segment = statements_segment(session);
    bool under_way = false;
    for (struct prepared *it = session->prepared; it != NULL; it = it->next) {
        if (it->planned != planned)
            continue;
        if (prepared_certain(it, segment)) {
            *prepared = prepared_retain(it);
            *fresh = false;
            return STATUS_OK;
        }
        under_way = true;
    }
    bool worthwhile = planned->uses >= PREPARE_AT_USES && !under_way &&
                      session->prepared_count < CACHED_STATEMENTS;
    struct prepared *made =
        prepared_make(planned, named || worthwhile ? ++session->serials : 0, segment);
    if (made == NULL)
        return out_of_memory(error);
    adopt(session, made);
    *prepared = made;
    *fresh = true;
    return STATUS_OK;
}

enum status statements_overwrite(struct session *session, struct planned *planned,
                                 struct prepared **prepared, struct error *error)
{
    struct prepared *made = prepared_make(planned, 0, statements_segment(session));
    if (made == NULL)
        return out_of_memory(error);
    adopt(session, made);
    *prepared = made;
    return STATUS_OK;
}

static void unlink_prepared(struct session *session, struct prepared **at)
{
    struct prepared *gone = *at;
    *at = gone->next;
    gone->next = NULL;
    gone->gone = true;
    session->prepared_count--;
}

struct prepared *statements_evict(struct session *session)
{
    struct prepared **oldest = NULL;
    if (session->prepared_count < CACHED_STATEMENTS)
        return NULL;
    for (struct prepared **at = &session->prepared; *at != NULL; at = &(*at)->next)
        if ((*at)->references == 1)
            oldest = at;
    if (oldest == NULL)
        return NULL;
    struct prepared *evicted = *oldest;
    unlink_prepared(session, oldest);
    return evicted;
}

void statements_lose(struct session *session, struct prepared *prepared)
{
    prepared->gone = true;
    if (session->unnamed == prepared) {
        session->unnamed = NULL;
        prepared_release(prepared);
        return;
    }
    for (struct prepared **at = &session->prepared; *at != NULL; at = &(*at)->next) {
        if (*at == prepared) {
            unlink_prepared(session, at);
            prepared_release(prepared);
            return;
        }
    }
}

void statements_lose_all(struct session *session)
{
    while (session->prepared != NULL)
        statements_lose(session, session->prepared);
}

static struct statement **find_statement(struct session *session, const char *name)
{
    struct statement **at = &session->statements[bucket_of(name)];
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

struct statement *statements_find(struct session *session, const char *name)
{
    return *find_statement(session, name);
}

static void free_statement(struct statement *statement)
{
    planned_release(statement->planned);
    prepared_release(statement->prepared);
    free(statement->name);
    free(statement);
}

void statements_replace(struct statement *statement, struct planned *planned,
                        struct prepared *prepared)
{
    struct planned *old_planned = statement->planned;
    struct prepared *old_prepared = statement->prepared;
    statement->planned = planned_retain(planned);
    statement->prepared = prepared == NULL ? NULL : prepared_retain(prepared);
    planned_release(old_planned);
    prepared_release(old_prepared);
}

enum status statements_put(struct session *session, const char *name, struct planned *planned,
                           struct prepared *prepared, uint64_t serial, struct error *error)
{
    struct statement **at = find_statement(session, name);
    if (*at != NULL) {
        statements_replace(*at, planned, prepared);
        (*at)->serial = serial;
        return STATUS_OK;
    }
    if (session->statement_count >= LIMIT_PREPARED_STATEMENTS)
        return error_set(error, STATUS_LIMIT, "54000", "close some",
                         "more than %d prepared statements", LIMIT_PREPARED_STATEMENTS);
    struct statement *made = calloc(1, sizeof *made);
    char *copy = strdup(name);
    if (made == NULL || copy == NULL) {
        free(made);
        free(copy);
        return out_of_memory(error);
    }
    made->name = copy;
    made->serial = serial;
    *at = made;
    session->statement_count++;
    statements_replace(made, planned, prepared);
    return STATUS_OK;
}

void statements_drop(struct session *session, const char *name)
{
    struct statement **at = find_statement(session, name), *gone = *at;
    if (gone == NULL)
        return;
    *at = gone->next;
    session->statement_count--;
    free_statement(gone);
}

void statements_drop_all(struct session *session)
{
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++) {
        for (struct statement **at = &session->statements[i]; *at != NULL;) {
            struct statement *statement = *at;
            if (statement->name[0] == '\0') {
                at = &statement->next;
                continue;
            }
            *at = statement->next;
            session->statement_count--;
            free_statement(statement);
        }
    }
}

void frontend_forget_statement(struct session *session, uint64_t serial)
{
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++) {
        for (struct statement **at = &session->statements[i]; *at != NULL; at = &(*at)->next) {
            struct statement *statement = *at;
            if (statement->serial != serial)
                continue;
            *at = statement->next;
            session->statement_count--;
            free_statement(statement);
            return;
        }
    }
}

static struct portal **find_portal(struct session *session, const char *name)
{
    struct portal **at = &session->portals;
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

struct portal *portals_find(struct session *session, const char *name)
{
    return *find_portal(session, name);
}

static void remove_portal(struct session *session, struct portal **at)
{
    struct portal *gone = *at;
    *at = gone->next;
    session->portal_count--;
    planned_release(gone->planned);
    run_release(gone->run);
    free(gone->bound[0]);
    free(gone->bound[1]);
    free(gone->name);
    free(gone);
}

void portals_drop(struct session *session, const char *name)
{
    struct portal **at = find_portal(session, name);
    if (*at != NULL)
        remove_portal(session, at);
}

void portals_drop_all(struct session *session)
{
    while (session->portals != NULL)
        remove_portal(session, &session->portals);
}

enum status portals_put(struct session *session, const char *name, struct planned *planned,
                        struct run *run, struct portal **portal, struct error *error)
{
    portals_drop(session, name);
    if (session->portal_count >= LIMIT_PORTALS)
        return error_set(error, STATUS_LIMIT, "54000", "close some", "more than %d portals",
                         LIMIT_PORTALS);
    struct portal *made = calloc(1, sizeof *made);
    char *copy = strdup(name);
    if (made == NULL || copy == NULL) {
        free(made);
        free(copy);
        return out_of_memory(error);
    }
    *made = (struct portal){.next = session->portals,
                            .name = copy,
                            .planned = planned_retain(planned),
                            .run = run_retain(run),
                            .bound_before_sync = session->syncs + 1};
    snprintf(made->upstream_name, sizeof made->upstream_name, "p%llu",
             (unsigned long long)++session->serials);
    session->portals = made;
    session->portal_count++;
    *portal = made;
    return STATUS_OK;
}

void frontend_portals_ended(struct session *session, uint64_t sync)
{
    for (struct portal **at = &session->portals; *at != NULL;) {
        if ((*at)->bound_before_sync <= sync)
            remove_portal(session, at);
        else
            at = &(*at)->next;
    }
}

void frontend_clear(struct session *session)
{
    portals_drop_all(session);
    cursors_drop(session, NULL);
    statements_drop(session, "");
    statements_drop_all(session);
    statements_lose_all(session);
    if (session->unnamed != NULL)
        statements_lose(session, session->unnamed);
}
