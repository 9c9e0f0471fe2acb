/* See release_private.h. A warning that the ledger does not take is logged: whoever reads the log
 * knows, and after a restart it is given again. */
#include "gateway/release/release_private.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "wire/wire.h"

static void record(const struct release_work *work, const struct exposure_warning *warning)
{
    char text[300], from[21] = "";
    struct error error;
    if (warning->from_ns != INT64_MIN)
        clock_format_utc(warning->from_ns, from);
    snprintf(text, sizeof text, "%s\nlimit=%s\nused=%llu\nof=%llu\n%s%s%s", EXPOSURE_ACT_WARNING,
             warning->limit, (unsigned long long)warning->used, (unsigned long long)warning->of,
             from[0] == '\0' ? "" : "from=", from, from[0] == '\0' ? "" : "\n");
    if (server_record_act(work->run->server, work->run->partner->name, NULL, text, false, &error) !=
        STATUS_OK)
        log_event(LOG_ERROR, "act_not_recorded", "act=%s reason=\"%s\"", EXPOSURE_ACT_WARNING,
                  error.message);
}

static void raise(const struct release_work *work, const struct exposure_warning *warning)
{
    const struct policy_partner *partner = work->run->partner;
    char text[300];
    snprintf(text, sizeof text, "%llu of %llu %s are used (limit %s)",
             (unsigned long long)warning->used, (unsigned long long)warning->of, warning->phrase,
             warning->limit);
    const struct alarm alarm = {.rule = ALARM_BUDGET_WARNING,
                                .partner = partner->name,
                                .agent = work->run->agent->name[0] == '\0' ? NULL
                                                                           : work->run->agent->name,
                                .about = warning->limit,
                                .text = text,
                                .contain = (enum alarm_contain)partner->alarms.budget_warning};
    alarm_raise(work->run->server->alarms, &alarm);
}

void release_warn(const struct release_work *work, struct outqueue *out)
{
    for (size_t i = 0; i < work->warning_count; i++) {
        const struct exposure_warning *warning = &work->warnings[i];
        char message[200];
        log_event(LOG_WARNING, "budget_warning", "partner=%s limit=%s used=%llu of=%llu",
                  work->run->partner->name, warning->limit, (unsigned long long)warning->used,
                  (unsigned long long)warning->of);
        raise(work, warning);
        record(work, warning);
        if (work->limit != NULL)
            continue;
        snprintf(message, sizeof message, "%llu of %llu %s are used (limit %s)",
                 (unsigned long long)warning->used, (unsigned long long)warning->of,
                 warning->phrase, warning->limit);
        wire_put_notice(&out->bytes, "NOTICE", "01000", message,
                        "SHOW cofferdam.budget tells what is left");
    }
}
