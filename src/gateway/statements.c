/* Prepared statements and portals by name. */
#include "gateway/statements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum status statements_choose(struct session *session, struct planned *planned, bool named,
                              struct upstream_statement *target, struct error *error)
{
    for (struct prepared *it = session->prepared; it != NULL; it = it->next) {
        if (it->planned == planned) {
            memcpy(target->name, it->name, sizeof target->name);
            target->parse = false;
            target->serial = it->serial;
            return STATUS_OK;
        }
    }
    *target = (struct upstream_statement){.parse = true, .serial = ++session->serials};
    bool worthwhile =
        planned->uses >= PREPARE_AT_USES && session->prepared_count < CACHED_STATEMENTS;
    if (!named && !worthwhile)
        return STATUS_OK;
    struct prepared *made = calloc(1, sizeof *made);
    if (made == NULL)
        return out_of_memory(error);
    *made = (struct prepared){
        .next = session->prepared, .planned = planned_retain(planned), .serial = target->serial};
    snprintf(made->name, sizeof made->name, "c%llu", (unsigned long long)target->serial);
    memcpy(target->name, made->name, sizeof target->name);
    session->prepared = made;
    session->prepared_count++;
    return STATUS_OK;
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
    free(statement->name);
    free(statement);
}

void statements_replace(struct statement *statement, struct planned *planned,
                        const struct upstream_statement *target)
{
    struct planned *old = statement->planned;
    statement->planned = planned_retain(planned);
    planned_release(old);
    statement->serial = target->serial;
    memcpy(statement->upstream_name, target->name, sizeof statement->upstream_name);
}

enum status statements_put(struct session *session, const char *name, struct planned *planned,
                           const struct upstream_statement *target, struct error *error)
{
    struct statement **at = find_statement(session, name);
    if (*at != NULL) {
        statements_replace(*at, planned, target);
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
    *at = made;
    session->statement_count++;
    statements_replace(made, planned, target);
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

void frontend_forget_statement(struct session *session, uint64_t serial)
{
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++) {
        for (struct statement **at = &session->statements[i]; *at != NULL;) {
            struct statement *statement = *at;
            if (statement->serial != serial) {
                at = &statement->next;
                continue;
            }
            *at = statement->next;
            session->statement_count--;
            free_statement(statement);
        }
    }
    for (struct prepared **at = &session->prepared; *at != NULL; at = &(*at)->next) {
        struct prepared *prepared = *at;
        if (prepared->serial == serial) {
            *at = prepared->next;
            session->prepared_count--;
            planned_release(prepared->planned);
            free(prepared);
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
    run_release(gone->run);
    free(gone->name);
    free(gone);
}

void portals_drop(struct session *session, const char *name)
{
    struct portal **at = find_portal(session, name);
    if (*at != NULL)
        remove_portal(session, at);
}

enum status portals_put(struct session *session, const char *name, struct run *run,
                        struct error *error)
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
                            .run = run_retain(run),
                            .bound_before_sync = session->syncs + 1};
    session->portals = made;
    session->portal_count++;
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
    while (session->portals != NULL)
        remove_portal(session, &session->portals);
    for (size_t i = 0; i < STATEMENT_BUCKETS; i++) {
        while (session->statements[i] != NULL) {
            struct statement *statement = session->statements[i];
            session->statements[i] = statement->next;
            free_statement(statement);
        }
    }
    while (session->prepared != NULL) {
        struct prepared *prepared = session->prepared;
        session->prepared = prepared->next;
        planned_release(prepared->planned);
        free(prepared);
    }
}
