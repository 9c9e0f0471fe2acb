/* What to do about an alarm, in commands that can be typed as they stand. */
#include "alarm/private.h"

#include <inttypes.h>
#include <string.h>

/* "acme/job" where it is about an agent, else "acme". */
static void put_whom(struct buffer *out, const struct alarms_entry *alarm)
{
    bool whole = alarm->agent[0] == '\0' || strcmp(alarm->contained, "partner") == 0;
    buffer_printf(out, "%s%s%s", alarm->partner, whole ? "" : "/", whole ? "" : alarm->agent);
}

static void put_containment(struct buffer *out, const struct alarms_entry *alarm)
{
    buffer_printf(out, "cofferdam partner %s ",
                  alarm->contained[0] == '\0' ? "contain" : "restore");
    put_whom(out, alarm);
    buffer_printf(out, " --reason \"alarm %" PRId64 "\"\n", alarm->id);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

void alarm_advise(const struct alarms_entry *alarm, struct buffer *out)
{
    if (strcmp(alarm->rule, ALARM_TEST) != 0 && alarm->partner[0] != '\0') {
        if (begins(alarm->rule, "canary-") && alarm->about[0] != '\0')
            buffer_printf(out, "cofferdam export --show %s\n", alarm->about);
        if (begins(alarm->rule, "budget-"))
            buffer_printf(out, "cofferdam budget\n");
        buffer_printf(out, "cofferdam exposure statements --partner %s\n", alarm->partner);
        put_containment(out, alarm);
    }
    buffer_printf(out, "cofferdam alarm acknowledge %" PRId64 " --note \"what was found\"\n",
                  alarm->id);
}
