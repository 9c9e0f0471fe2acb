/* See approvals.h. */
#include "gateway/trust/approvals.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "gateway/session.h"
#include "gateway/trust/trust.h"

int64_t approvals_end_ns(const struct request *request, const struct policy_approval *terms)
{
    if (request->state != REQUEST_APPROVED || request->approvals < terms->needed ||
        terms->for_ns == 0)
        return INT64_MIN;
    int64_t for_ns = request->for_ns < terms->for_ns ? request->for_ns : terms->for_ns;
    return request->approved_ns + for_ns;
}

bool approvals_cover(const struct policy_grant *grant, const struct request *request)
{
    return grant->approval.for_ns != 0 &&
           memcmp(grant->mark, request->mark, sizeof request->mark) == 0 &&
           (grant->agent == NULL || strcmp(grant->agent, request->agent) == 0) &&
           (grant->purpose == NULL || strcmp(grant->purpose, request->purpose) == 0);
}

struct gathering {
    const struct approvals_of *of;
    struct approvals *approvals;
    int64_t now_ns;
};

static void take_earlier(int64_t *until_ns, int64_t instant_ns, int64_t now_ns)
{
    if (instant_ns > now_ns && instant_ns < *until_ns)
        *until_ns = instant_ns;
}

/* Two grants may give the same on different terms: each is judged by its own. */
static void gather_grant(const struct gathering *gathering, const struct request *request,
                         size_t index)
{
    const struct policy_grant *grant = &gathering->of->partner->grants[index];
    struct approvals *approvals = gathering->approvals;
    int64_t end_ns = approvals_end_ns(request, &grant->approval);
    take_earlier(&approvals->until_ns, request->approved_ns, gathering->now_ns);
    if (gathering->now_ns < request->approved_ns || gathering->now_ns >= end_ns ||
        approvals->count == POLICY_APPROVALS_MOST)
        return;
    take_earlier(&approvals->until_ns, end_ns, gathering->now_ns);
    approvals->list[approvals->count++] =
        (struct plan_approval){.grant = grant, .request = request->id};
    approvals->mark =
        (approvals->mark * 0x9E3779B97F4A7C15 + request->id) * 0x9E3779B97F4A7C15 + index + 1;
}

static bool gather(void *context, const struct request *request)
{
    const struct gathering *gathering = context;
    const struct approvals_of *of = gathering->of;
    if (request->state != REQUEST_APPROVED || strcmp(request->partner, of->partner->name) != 0 ||
        strcmp(request->agent, of->agent) != 0 || strcmp(request->purpose, of->purpose) != 0)
        return true;
    for (size_t g = 0; g < of->partner->grant_count; g++)
        if (approvals_cover(&of->partner->grants[g], request))
            gather_grant(gathering, request, g);
    return true;
}

void approvals_gather(struct registry *registry, const struct approvals_of *of, int64_t now_ns,
                      struct approvals *approvals)
{
    struct gathering gathering = {.of = of, .approvals = approvals, .now_ns = now_ns};
    *approvals = (struct approvals){.until_ns = INT64_MAX};
    requests_each(registry, gather, &gathering);
}

void approvals_renew(struct session *session, int64_t now_ns)
{
    struct approvals *approvals = &session->approvals;
    struct registry *registry = session->worker->server->registry;
    uint64_t generation = requests_generation(registry);
    if (session->purpose == NULL ||
        (approvals->gathered && approvals->generation == generation &&
         approvals->plan_epoch == session->plan_epoch && now_ns < approvals->until_ns))
        return;
    struct approvals_of of = {
        .partner = session->partner, .agent = session->agent->name, .purpose = session->purpose};
    approvals_gather(registry, &of, now_ns, approvals);
    approvals->generation = generation;
    approvals->plan_epoch = session->plan_epoch;
    approvals->gathered = true;
}

/* ---- asking ---- */

static enum status fill(const struct session *session, const struct policy_grant *grant,
                        struct request *request, struct error *error)
{
    const struct policy *policy = session->snapshot->policy;
    *request = (struct request){.state = REQUEST_ASKED};
    if (strlen(session->purpose) >= sizeof request->purpose)
        return error_set(error, STATUS_DENIED, "42501", "ask the data controller",
                         "the purpose is too long to be asked for");
    snprintf(request->partner, sizeof request->partner, "%s", session->partner->name);
    snprintf(request->agent, sizeof request->agent, "%s", session->agent->name);
    snprintf(request->dataset, sizeof request->dataset, "%s",
             policy->datasets[grant->dataset].name);
    snprintf(request->purpose, sizeof request->purpose, "%s", session->purpose);
    snprintf(request->reason, sizeof request->reason, "%s", session->reason);
    memcpy(request->mark, grant->mark, sizeof request->mark);
    uid_t uid;
    pid_t pid;
    if (session->is_staff && net_stream_peer_user(session->client, &uid, &pid))
        snprintf(request->asked_by, sizeof request->asked_by, "uid %u", (unsigned)uid);
    return STATUS_OK;
}

static void record(const struct session *session, const struct request *request)
{
    struct error error;
    char text[2000];
    snprintf(text, sizeof text,
             "request-made\nid=%" PRIu64 "\ndataset=%s\npurpose=%s\nby=%s\nreason=%s\n",
             request->id, request->dataset, request->purpose,
             request->asked_by[0] == '\0' ? session->login : request->asked_by, request->reason);
    if (server_record_act(session->worker->server, request->partner, request->agent, text, false,
                          &error) != STATUS_OK)
        log_event(LOG_ERROR, "act_not_recorded", "act=request-made reason=\"%s\"", error.message);
    log_event(LOG_WARNING, "request_made", "id=%" PRIu64 " agent=%s dataset=%s", request->id,
              session->login, request->dataset);
}

static enum status refuse(const struct request *request, const struct policy_grant *grant,
                          bool made, struct error *error)
{
    char hint[sizeof error->hint];
    if (request->state == REQUEST_DENIED)
        return error_set(error, STATUS_DENIED, "42501",
                         "ask the data controller; it can be asked for again an hour later",
                         "dataset \"%s\" needs approval, and request %" PRIu64 " was denied",
                         request->dataset, request->id);
    char most[21];
    clock_format_span(grant->approval.for_ns, most);
    snprintf(hint, sizeof hint,
             "ask the data controller to approve it, and run this again then; an approval holds "
             "for %s at most",
             most);
    return error_set(error, STATUS_DENIED, "42501", hint,
                     "dataset \"%s\" needs approval: request %" PRIu64 " %s", request->dataset,
                     request->id, made ? "was made" : "waits for it");
}

enum status approvals_ask(struct session *session, const struct policy_grant *grant,
                          struct error *error)
{
    struct request request;
    bool made;
    TRY(fill(session, grant, &request, error));
    if (grant->approval.reason && session->reason[0] == '\0')
        return error_set(error, STATUS_DENIED, "42501",
                         "SET cofferdam.reason = 'what it is needed for', and run this again",
                         "dataset \"%s\" needs approval, and no reason is given", request.dataset);
    TRY(requests_ask(session->worker->server->registry, &request, trust_now_ns(session), &made,
                     error));
    if (made)
        record(session, &request);
    return refuse(&request, grant, made, error);
}
