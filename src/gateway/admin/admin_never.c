/* COMMIT NEVER: the root of the index of everybody ever disclosed, computed beside the gateway,
 * goes into the ledger, and so under its signed checkpoints. */
#include "gateway/admin/admin_asking.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/admin/admin_recording.h"
#include "gateway/admin/retain.h"
#include "never/commitment.h"

enum { TEXT_BYTES = NEVER_COMMITMENT_BYTES + RECORDING_WHO_ROOM + 8, PATH_ROOM = 4096 };

static enum status commitment_lines(struct asking *asking, struct buffer *text, struct error *error)
{
    static const struct {
        const char *option, *key;
        bool of_cut; /* only of a ledger whose oldest entries were dropped */
    } lines[] = {
        {"FROM", "from", true},        {"SINCE", "since", true}, {"BASE", "base", true},
        {"ENTRIES", "entries", false}, {"AT", "at", false},      {"LEAVES", "leaves", false},
        {"ROOT", "root", false},       {"VRF", "vrf", false},    {"ERASED", "erased", false}};
    bool is_cut = admin_option(asking, "FROM") != NULL;
    buffer_append_text(text, is_cut ? "index=never@v2" : "index=never");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const char *value;
        if (lines[i].of_cut && !is_cut)
            continue;
        TRY(recording_text(asking, lines[i].option, true, &value, error));
        buffer_printf(text, "\n%s=%s", lines[i].key, value);
    }
    return STATUS_OK;
}

/* An index counts from where the ledger begins. On this thread no retention begins meanwhile. */
static enum status check_base(struct server *server, const struct never_base *base,
                              struct error *error)
{
    char folder[PATH_ROOM];
    struct never_base now;
    if (retain_is_dropping(server->retain))
        return error_set(error, STATUS_DENIED, "55006",
                         "Commit when it has finished: SHOW RETENTION tells how it goes.",
                         "a retention is under way");
    snprintf(folder, sizeof folder, "%.4000s/ledger", server->config->state_folder);
    TRY(never_base_read(folder, &now, error));
    if (never_base_equal(base, &now))
        return STATUS_OK;
    return error_set(error, STATUS_DENIED, "55000", "cofferdam ledger commit makes it anew.",
                     "the index counts from entry %" PRIu64 " on, the ledger begins with %" PRIu64
                     ", or says otherwise since when",
                     base->from, now.from);
}

static enum status commitment_text(struct asking *asking, struct buffer *text, struct error *error)
{
    char who[RECORDING_WHO_ROOM], at[21];
    struct never_commitment commitment;
    TRY(commitment_lines(asking, text, error));
    TRY(recording_instant(asking, "AT", true, at, error));
    TRY(never_commitment_parse(buffer_slice(text), &commitment, error));
    uint64_t durable = ledger_durable(asking->server->ledger);
    if (commitment.entries > durable)
        return error_set(error, STATUS_DENIED, "22023", "compute it over the log as it is",
                         "the ledger has %" PRIu64 " entries, not %" PRIu64, durable,
                         commitment.entries);
    TRY(check_base(asking->server, &commitment.base, error));
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
