/* See deliveries.h: the desk, and the door. */
#include "gateway/deliveries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"

enum { TICKETS = 64, TICKET_S = 300, FOLDER_MODE = 0755, PATH_ROOM = 4096 };

struct deliveries_desk {
    struct deliveries *file; /* of the admin thread */
    pthread_mutex_t lock;
    struct deliveries_ticket tickets[TICKETS]; /* under lock; a free one has no id */
};

enum status deliveries_desk_open(const char *state_folder, struct deliveries_desk **out,
                                 struct error *error)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/deliveries.sqlite", state_folder);
    struct deliveries_desk *desk = calloc(1, sizeof *desk);
    if (desk == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    enum status status = deliveries_open(path, &desk->file, error);
    if (status != STATUS_OK) {
        free(desk);
        return status;
    }
    pthread_mutex_init(&desk->lock, NULL);
    *out = desk;
    return STATUS_OK;
}

void deliveries_desk_close(struct deliveries_desk *desk)
{
    if (desk == NULL)
        return;
    deliveries_close(desk->file);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

struct deliveries *deliveries_desk_file(struct deliveries_desk *desk)
{
    return desk->file;
}

/* ---- tickets ---- */

static struct deliveries_ticket *find(struct deliveries_desk *desk, const char *id)
{
    for (size_t i = 0; i < TICKETS; i++)
        if (strcmp(desk->tickets[i].id, id) == 0)
            return &desk->tickets[i];
    return NULL;
}

/* Of command lines that were killed: they would fill the desk for good. */
static void drop_old(struct deliveries_desk *desk, int64_t now_ns)
{
    const int64_t most_ns = (int64_t)TICKET_S * 1000000000;
    for (size_t i = 0; i < TICKETS; i++)
        if (desk->tickets[i].id[0] != '\0' && (now_ns - desk->tickets[i].opened_ns > most_ns ||
                                               desk->tickets[i].opened_ns - now_ns > most_ns))
            desk->tickets[i] = (struct deliveries_ticket){.id = ""};
}

enum status deliveries_expect(struct deliveries_desk *desk, const struct deliveries_ticket *ticket,
                              struct error *error)
{
    pthread_mutex_lock(&desk->lock);
    drop_old(desk, clock_now_ns());
    struct deliveries_ticket *room = find(desk, "");
    if (room != NULL)
        *room = *ticket;
    pthread_mutex_unlock(&desk->lock);
    return room != NULL ? STATUS_OK
                        : error_set(error, STATUS_LIMIT, "53300", "try again in a moment",
                                    "%d deliveries are open and not yet begun", TICKETS);
}

void deliveries_forget(struct deliveries_desk *desk, const char *id)
{
    pthread_mutex_lock(&desk->lock);
    struct deliveries_ticket *ticket = id[0] == '\0' ? NULL : find(desk, id);
    if (ticket != NULL)
        *ticket = (struct deliveries_ticket){.id = ""};
    pthread_mutex_unlock(&desk->lock);
}

size_t deliveries_forget_agent(struct deliveries_desk *desk, const char *partner, const char *agent)
{
    char login[sizeof desk->tickets[0].login];
    size_t count = 0, len = (size_t)snprintf(login, sizeof login, "%s.%s", partner,
                                             agent == NULL ? "" : agent);
    pthread_mutex_lock(&desk->lock);
    for (size_t i = 0; i < TICKETS; i++) {
        struct deliveries_ticket *ticket = &desk->tickets[i];
        bool named = agent == NULL ? strncmp(ticket->login, login, len) == 0
                                   : strcmp(ticket->login, login) == 0;
        if (ticket->id[0] == '\0' || !named)
            continue;
        *ticket = (struct deliveries_ticket){.id = ""};
        count++;
    }
    pthread_mutex_unlock(&desk->lock);
    return count;
}

bool deliveries_claim(struct deliveries_desk *desk, uid_t uid, struct deliveries_ticket *ticket)
{
    char by[sizeof ticket->by];
    snprintf(by, sizeof by, "uid %u", (unsigned)uid);
    pthread_mutex_lock(&desk->lock);
    drop_old(desk, clock_now_ns());
    struct deliveries_ticket *found = ticket->id[0] == '\0' ? NULL : find(desk, ticket->id);
    bool claimed = found != NULL && strcmp(found->by, by) == 0;
    if (claimed) {
        *ticket = *found;
        *found = (struct deliveries_ticket){.id = ""};
    }
    pthread_mutex_unlock(&desk->lock);
    return claimed;
}

/* ---- the door ---- */

/* In a folder of its own: who looks for the admin socket must find one only. */
enum status deliveries_listen(const struct config *config, struct net_loop *loop, net_accept_fn fn,
                              void *context, struct net_listener **listener, struct error *error)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/delivery", config->run_folder);
    TRY(file_make_folder(path, FOLDER_MODE, error));
    snprintf(path, sizeof path, "%s/delivery/.s.PGSQL.%u", config->run_folder, config->admin.port);
    return net_listen_unix(loop, path, 0666, fn, context, listener, error);
}

bool deliveries_may_run(const struct plan *plan)
{
    return plan->kind == PLAN_QUERY && plan->write == NULL && plan->copy == NULL;
}

/* ---- canaries ---- */

static enum status check_column(const struct config *config, const struct plan *plan, size_t at,
                                struct error *error)
{
    const struct plan_visible *visible = &plan->visible[at];
    const char *name = plan->visible_names[at];
    if (visible->of.dataset == NULL && !visible->constant)
        return error_set(error, STATUS_DENIED, "0A000",
                         "select the datasets' own columns, under any name, or leave the canaries "
                         "out",
                         "column %.60s is computed, so that no value of it can be invented", name);
    if (visible->of.category != NULL && strcmp(visible->of.category, "email") == 0 &&
        visible->of.form == POLICY_FORM_CLEAR && config->canaries.mailbox_domain == NULL)
        return error_set(
            error, STATUS_DENIED, "55000",
            "canaries: mailbox_domain: in cofferdam.yaml, a domain whose mail is yours",
            "column %.60s has e-mail addresses, and no domain for invented ones is "
            "configured",
            name);
    return STATUS_OK;
}

enum status deliveries_check_canaries(const struct config *config, const struct plan *plan,
                                      struct error *error)
{
    if (plan->hidden_count == 0 || plan->visible == NULL || plan_aggregates(plan))
        return error_set(
            error, STATUS_DENIED, "0A000", "leave the canaries out",
            "canaries are invented people, and the rows of this result are not people");
    for (size_t i = 0; i < plan->visible_count; i++)
        TRY(check_column(config, plan, i, error));
    return STATUS_OK;
}
