/* RETAIN begins a retention, SHOW RETENTION tells how it goes: it may take as long as reading the
 * whole ledger, and the admin thread has others to serve. */
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "gateway/admin/admin_recording.h"
#include "gateway/admin/retain.h"

static bool says(const struct asking *asking, const char *option, const char *value)
{
    const char *given = admin_option(asking, option);
    return given != NULL && strcmp(given, value) == 0;
}

/* BEFORE 't' REASON 'why' [BY 'who'] [DRY 'run'] [FORGET 'totals'] */
enum status admin_retain(struct asking *asking, struct table *table, struct error *error)
{
    struct retain_wish wish = {.dry = says(asking, "DRY", "run"),
                               .forget_totals = says(asking, "FORGET", "totals")};
    char who[RECORDING_WHO_ROOM], before[21];
    const char *reason;
    if ((admin_option(asking, "DRY") != NULL && !wish.dry) ||
        (admin_option(asking, "FORGET") != NULL && !wish.forget_totals))
        return admin_syntax(error, "RETAIN BEFORE 't' REASON 'why' [DRY 'run'] [FORGET 'totals']");
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(recording_instant(asking, "BEFORE", true, before, error));
    TRY(recording_who(asking, who, error));
    TRY(clock_parse(before, &wish.before_ns, error));
    snprintf(wish.reason, sizeof wish.reason, "%s", reason);
    snprintf(wish.by, sizeof wish.by, "%s", who);
    snprintf(wish.user, sizeof wish.user, "%s", asking->by);
    TRY(retain_begin(asking->server->retain, &wish, error));
    return admin_show_retention(asking, table, error);
}

enum status admin_show_retention(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"property", "partner", "value", "after", NULL};
    table_init(table, ADMIN_TABLE_BYTES, columns);
    retain_tell(asking->server->retain, table);
    return STATUS_OK;
}
