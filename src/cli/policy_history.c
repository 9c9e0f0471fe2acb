/* See policy_history.h. */
#include "cli/policy_history.h"

enum { TEXT_BYTES = 2 * 1024 * 1024 };

void policy_history_init(struct policy_history *history, const char *path)
{
    *history = (struct policy_history){.path = path};
    buffer_init(&history->text, TEXT_BYTES);
}

void policy_history_free(struct policy_history *history)
{
    buffer_free(&history->text);
}

bool policy_history_take(struct policy_history *history, const struct ledger_entry *entry,
                         const struct policy **policy)
{
    struct error error;
    if (entry->type != LEDGER_POLICY)
        return false;
    if (entry->chunk == 0) {
        buffer_clear(&history->text);
        history->pieces = 0;
    }
    bool follows = entry->chunk == history->pieces;
    history->pieces = follows ? history->pieces + 1 : UINT32_MAX;
    buffer_append(&history->text, entry->text.data, entry->text.len);
    if (entry->chunk + 1 != entry->chunk_count)
        return false;
    *policy = NULL;
    if (!follows || history->text.overflowed ||
        policy_load_text(history->path, buffer_slice(&history->text), policy, &error) != STATUS_OK)
        *policy = NULL;
    return true;
}

enum status policy_in_force(const char *ledger, const char *path, const struct policy **policy,
                            struct error *error)
{
    struct ledger_reader *reader;
    struct policy_history history;
    const struct policy *last = NULL, *next;
    uint64_t sequence;
    struct ledger_entry entry;
    struct slice side;
    TRY(ledger_reader_open(ledger, 0, &reader, error));
    policy_history_init(&history, path);
    enum status status;
    while ((status = ledger_reader_next(reader, &sequence, &entry, &side, error)) == STATUS_OK) {
        if (!policy_history_take(&history, &entry, &next))
            continue;
        policy_release(last);
        last = next;
    }
    policy_history_free(&history);
    ledger_reader_close(reader);
    if (status == STATUS_AGAIN)
        status = last != NULL ? STATUS_OK
                              : error_set(error, STATUS_NOT_FOUND, "02000",
                                          "Name the file of the old policy.",
                                          "the ledger holds no policy that can be read");
    if (status == STATUS_OK)
        *policy = last;
    else
        policy_release(last);
    return status;
}
