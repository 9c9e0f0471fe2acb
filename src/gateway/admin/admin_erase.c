/* Erasing a person's key: history keeps a number that leads to nobody. The act names the number,
 * and so says who was erased to nobody but those who knew. */
#include "gateway/admin/admin_recording.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

static enum status find_kind(const struct asking *asking, uint16_t *kind, struct error *error)
{
    struct snapshot *snapshot = server_snapshot(asking->server);
    const char *name = asking->words->text[asking->at];
    const struct policy_kind *found = policy_find_kind(snapshot->policy, name);
    if (found != NULL)
        *kind = (uint16_t)(found - snapshot->policy->kinds);
    snapshot_release(snapshot);
    return found != NULL
               ? STATUS_OK
               : error_set(error, STATUS_NOT_FOUND, "42704", "kinds are named under subjects:",
                           "\"%.60s\" is no kind of subject in the policy", name);
}

/* The act first: who cannot say why an answer is missing, has erased too much. */
static enum status record(struct asking *asking, const char *kind, uint32_t id, const char *reason,
                          struct error *error)
{
    char text[1300];
    snprintf(text, sizeof text, "erase kind=%.60s id=%" PRIu32 " by=%s reason=%.1000s", kind, id,
             asking->by, reason);
    return server_record_act(asking->server, NULL, NULL, text, true, error);
}

enum status admin_erase_subject(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"kind", "id", "state", NULL};
    const struct words *words = asking->words;
    const char *reason;
    struct exposure *exposure = asking->server->exposure;
    uint16_t kind = 0;
    uint32_t id;
    if (words->count < asking->at + 2)
        return admin_syntax(error, "ERASE SUBJECT 'kind' 'key' REASON 'why'");
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(find_kind(asking, &kind, error));
    const struct slice key = slice_of_text(words->text[asking->at + 1]);
    if (exposure_find(exposure, kind, key, &id) != STATUS_OK)
        return error_set(error, STATUS_NOT_FOUND, "02000",
                         "Keys are written as the database has them; cofferdam subject shows what "
                         "is known.",
                         "nothing of this person is in the ledger");
    TRY(record(asking, words->text[asking->at], id, reason, error));
    TRY(exposure_erase(exposure, kind, key, error));
    log_event(LOG_WARNING, "subject_erased", "id=%" PRIu32, id);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%s", words->text[asking->at]);
    table_set(table, row, 1, "%" PRIu32, id);
    table_set(table, row, 2, "erased");
    return STATUS_OK;
}
