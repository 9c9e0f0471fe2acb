/* COMMIT NEVER: the root of the index of everybody ever disclosed, computed beside the gateway,
 * goes into the ledger, and so under its signed checkpoints. */
#include "gateway/admin_asking.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/admin_recording.h"
#include "never/commitment.h"

enum { TEXT_BYTES = NEVER_COMMITMENT_BYTES + RECORDING_WHO_ROOM + 8 };

static enum status commitment_text(struct asking *asking, struct buffer *text, struct error *error)
{
    static const struct {
        const char *option, *key;
    } lines[] = {{"ENTRIES", "entries"}, {"AT", "at"},   {"LEAVES", "leaves"},
                 {"ROOT", "root"},       {"VRF", "vrf"}, {"ERASED", "erased"}};
    char who[RECORDING_WHO_ROOM], at[21];
    struct never_commitment commitment;
    buffer_append_text(text, "index=never");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *value;
        TRY(recording_text(asking, lines[i].option, true, &value, error));
        buffer_printf(text, "\n%s=%s", lines[i].key, value);
    }
    TRY(recording_instant(asking, "AT", true, at, error));
    TRY(never_commitment_parse(buffer_slice(text), &commitment, error));
    uint64_t durable = ledger_durable(asking->server->ledger);
    if (commitment.entries > durable)
        return error_set(error, STATUS_DENIED, "22023", "compute it over the log as it is",
                         "the ledger has %" PRIu64 " entries, not %" PRIu64, durable,
                         commitment.entries);
    TRY(recording_who(asking, who, error));
    buffer_printf(text, "\nby=%s", who);
    return text->overflowed ? error_set(error, STATUS_LIMIT, "54000", NULL, "the text is too long")
                            : STATUS_OK;
}

enum status admin_commit_never(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"sequence", NULL};
    struct buffer text;
    buffer_init(&text, TEXT_BYTES);
    enum status status = commitment_text(asking, &text, error);
    if (status == STATUS_OK) {
        struct snapshot *snapshot = server_snapshot(asking->server);
        struct recording recording = recording_begin(asking->server, snapshot, LEDGER_COMMITMENT);
        recording.entry.text = buffer_slice(&text);
        status = recording_alone(&recording, error);
        snapshot_release(snapshot);
        if (status == STATUS_OK) {
            recording_wait(&recording);
            table_init(table, ADMIN_TABLE_BYTES, columns);
            table_set(table, table_add(table), 0, "%" PRIu64, recording.sequence);
        }
    }
    buffer_free(&text);
    return status;
}
