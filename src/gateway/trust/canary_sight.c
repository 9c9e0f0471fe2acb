/* See canary_watch.h: which values an execution names, and the alarm. */
#include "gateway/trust/canary_watch_private.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "crypto/crypto.h"
#include "gateway/release/probe.h"
#include "gateway/server.h"

enum { OID_UUID = 2950, UUID_BYTES = 16 };

/* ---- raising ---- */

static void raise(const struct run *run, const struct canary_sighting *sighting, const char *what,
                  enum alarm_contain contain)
{
    const char *partner = run->partner->name, *agent = run->agent->name;
    bool is_own = strcmp(sighting->partner, partner) == 0;
    char text[ALARM_TEXT_BYTES];
    if (is_own)
        snprintf(text, sizeof text,
                 "%s of %s.%s is that of an invented person of delivery %s, which it was given",
                 what, partner, agent, sighting->delivery);
    else
        snprintf(text, sizeof text,
                 "%s of %s.%s is that of an invented person of delivery %s, which %s was given and "
                 "nobody else: its copy has got about",
                 what, partner, agent, sighting->delivery, sighting->partner);
    const struct alarm alarm = {.rule = is_own ? ALARM_CANARY_LOOKED_UP : ALARM_CANARY_CROSSED,
                                .partner = partner,
                                .agent = agent,
                                .about = sighting->delivery,
                                .text = text,
                                .contain = contain};
    alarm_raise(run->server->alarms, &alarm);
}

/* One alarm a delivery: persons of one stand together or not at all. */
static bool raise_all(const struct run *run, const struct canary_look *look, const char *what,
                      enum alarm_contain contain)
{
    struct canary_sighting sighting, before = {.delivery = ""};
    bool raised = false;
    for (size_t at = 0; canary_look_result(run->server->canaries, look, at, &sighting); at++) {
        if (strcmp(sighting.delivery, before.delivery) != 0)
            raise(run, &sighting, what, contain);
        before = sighting;
        raised = true;
    }
    return raised;
}

/* ---- what is named ---- */

struct looking {
    struct canary_watch *watch;
    struct canary_look look;
};

static enum status look_at_element(void *context, const struct probe_value *value,
                                   struct error *error)
{
    struct looking *looking = context;
    (void)error;
    canary_look_at(looking->watch, &looking->look, value->bytes);
    return STATUS_OK;
}

/* The elements, where it is an array's text or may be an array's bytes: all of them, and of any
 * length, or a canary would be hidden behind the others. A message's bytes bound both. */
static void look_into(struct looking *looking, struct slice bytes, bool binary)
{
    struct probe_value array = {.bytes = bytes, .binary = binary};
    struct buffer scratch;
    struct error ignored;
    if (!binary && (bytes.len == 0 || memchr(bytes.data, '{', bytes.len) == NULL))
        return;
    buffer_init(&scratch, LIMIT_MESSAGE_BYTES);
    if (probe_elements(&array, &scratch, look_at_element, looking, &ignored) != STATUS_OK)
        log_event(LOG_ERROR, "canaries_not_looked_for", "reason=\"out of memory\"");
    buffer_free(&scratch);
}

static void look_at_uuid(struct looking *looking, struct slice bytes)
{
    char text[2 * UUID_BYTES + 1];
    crypto_hex(bytes.data, UUID_BYTES, text);
    canary_look_at(looking->watch, &looking->look, slice_of_text(text));
}

static void look_at_parameter(struct looking *looking, struct slice bytes, bool binary,
                              uint32_t type)
{
    canary_look_at(looking->watch, &looking->look, bytes);
    if (binary && bytes.len == UUID_BYTES && (type == OID_UUID || type == 0))
        look_at_uuid(looking, bytes);
    look_into(looking, bytes, binary);
}

static bool is_binary(const struct wire_bind *bind, size_t parameter)
{
    size_t at = bind->format_count == 1 ? 0 : parameter;
    return at < bind->format_count && load_u16be(bind->formats.data + 2 * at) == 1;
}

static void look_at_bind(struct looking *looking, const struct planned *planned,
                         const struct wire_bind *bind)
{
    struct wire_reader reader = wire_reader_of(bind->parameters);
    for (size_t i = 0; i < bind->parameter_count && !reader.failed; i++) {
        uint32_t len = wire_read_u32(&reader);
        if (len == UINT32_MAX)
            continue;
        struct slice bytes = wire_read_bytes(&reader, len);
        if (!reader.failed)
            look_at_parameter(looking, bytes, is_binary(bind, i),
                              i < planned->type_count ? planned->types[i] : 0);
    }
}

enum status canary_watch_execution(const struct run *run, const struct planned *planned,
                                   const struct wire_bind *bind, struct error *error)
{
    struct server *server = run->server;
    struct looking looking = {.watch = server->canaries};
    /* Staff who make a delivery are not partners. */
    if (canary_watch_is_empty(server->canaries) || run->delivery[0] != '\0')
        return STATUS_OK;
    for (const struct plan_constant *constant = planned->plan->constants; constant != NULL;
         constant = constant->next)
        look_at_parameter(&looking, slice_of_text(constant->text), false, 0);
    look_at_bind(&looking, planned, bind);
    if (!raise_all(run, &looking.look, "a value in a statement",
                   (enum alarm_contain)run->partner->alarms.canary) ||
        !registry_contained(server->registry, run->partner->name, run->agent->name, NULL))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "57P01", "Ask your contact at the data's controller.",
                     "%s is contained", run->partner->name);
}

/* A whole number may have been given to a real person since, whom this partner does not see. */
void canary_watch_missing(const struct run *run, uint16_t kind, struct slice key)
{
    struct canary_look look = {.values = 1};
    if (canary_watch_is_empty(run->server->canaries) || run->delivery[0] != '\0')
        return;
    canary_look_at_key(run->server->canaries, &look,
                       model_policy(run->planned->plan->model)->kinds[kind].name, key);
    bool is_number = true;
    for (size_t i = 0; i < key.len; i++)
        is_number = is_number && key.data[i] >= '0' && key.data[i] <= '9';
    (void)raise_all(run, &look, "a key that found nobody, named by a statement",
                    is_number ? ALARM_TELL : (enum alarm_contain)run->partner->alarms.canary);
}
