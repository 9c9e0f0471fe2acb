/* The ledger's signing keys: which there were, and a new one. */
#include "gateway/admin/admin_asking.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "gateway/admin/admin_recording.h"

static const char *kind_name(enum key_change_kind kind)
{
    static const char *const names[] = {[KEY_CHANGE_FIRST] = "first",
                                        [KEY_CHANGE_HAND_OVER] = "handed over",
                                        [KEY_CHANGE_BREAK] = "replaced, nobody vouches for it"};
    return names[kind];
}

static void key_line(struct table *table, const struct key_chain_link *link)
{
    char vkey[NOTE_VKEY_ROOM], since[21];
    struct buffer text;
    buffer_init(&text, sizeof vkey);
    note_key_format(&link->key, &text);
    clock_format_utc(link->time_ns, since);
    struct table_row *row = table_add(table);
    table_set(table, row, 0, "%08" PRIx32, link->key.id);
    table_set(table, row, 1, "%s", since);
    table_set(table, row, 2, "%llu", (unsigned long long)link->sequence);
    table_set(table, row, 3, "%s", kind_name(link->kind));
    table_set(table, row, 4, "%.*s", (int)text.len, (const char *)text.data);
    buffer_free(&text);
}

/* Oldest first: the last one signs. */
enum status admin_show_keys(struct asking *asking, struct table *table, struct error *error)
{
    static const char *const columns[] = {"id", "since", "sequence", "how", "key", NULL};
    struct key_chain *chain = malloc(sizeof *chain);
    if (chain == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    ledger_keys(asking->server->ledger, chain);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    for (size_t i = 0; i < chain->count; i++)
        key_line(table, &chain->links[i]);
    free(chain);
    return STATUS_OK;
}

/* The act is told first, so that a change never stands in the log without who wanted it. */
enum status admin_rotate_key(struct asking *asking, struct table *table, struct error *error)
{
    struct note_key fresh;
    const char *reason;
    char who[RECORDING_WHO_ROOM], text[RECORDING_TEXT_BYTES + RECORDING_WHO_ROOM + 32];
    TRY(recording_text(asking, "REASON", true, &reason, error));
    TRY(recording_who(asking, who, error));
    snprintf(text, sizeof text, "rotate key by=%s reason=%s", who, reason);
    TRY(server_record_act(asking->server, NULL, NULL, text, true, error));
    TRY(ledger_key_rotate(asking->server->ledger, &fresh, error));
    return admin_show_keys(asking, table, error);
}
