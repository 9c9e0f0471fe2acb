/* See committed.h. */
#include "trace/committed.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

static enum status out_of_memory(struct error *error)
{
    return error_set(error, STATUS_NOMEM, "53200", "use a machine with more memory",
                     "no memory for the deliveries that the ledger tells of");
}

static struct committed_delivery *find(const struct committed *committed, struct slice id)
{
    for (size_t i = committed->count; i > 0; i--) /* most acts are of a late one */
        if (slice_equal(slice_of_text(committed->all[i - 1].id), id))
            return &committed->all[i - 1];
    return NULL;
}

const struct committed_delivery *committed_find(const struct committed *committed, const char *id)
{
    return find(committed, slice_of_text(id));
}

static const char *copy_text(struct arena *arena, struct slice text)
{
    return arena_copy(arena, (const char *)text.data, text.len);
}

static enum status take_open(struct committed *committed, struct arena *arena,
                             const struct ledger_entry *entry, struct error *error)
{
    if (committed->count == committed->capacity) {
        size_t more = committed->capacity == 0 ? 16 : 2 * committed->capacity;
        struct committed_delivery *grown = reallocarray(committed->all, more, sizeof *grown);
        if (grown == NULL)
            return out_of_memory(error);
        committed->all = grown;
        committed->capacity = more;
    }
    struct committed_delivery *added = &committed->all[committed->count++];
    *added = (struct committed_delivery){.id = copy_text(arena, entry->delivery),
                                         .partner = copy_text(arena, entry->partner),
                                         .agent = copy_text(arena, entry->agent),
                                         .opened_ns = entry->time_ns};
    return added->id == NULL || added->partner == NULL || added->agent == NULL
               ? out_of_memory(error)
               : STATUS_OK;
}

static enum status take_close(struct committed_delivery *delivery, struct arena *arena,
                              const struct ledger_entry *entry, struct error *error)
{
    struct slice commitment = ledger_text_value(entry->text, "commitment");
    if (delivery->complete ||
        !slice_equal(ledger_text_value(entry->text, "outcome"), slice_of_text("complete")))
        return STATUS_OK;
    delivery->complete = true;
    if (commitment.len == 0)
        return STATUS_OK;
    delivery->commitment = copy_text(arena, commitment);
    return delivery->commitment == NULL ? out_of_memory(error) : STATUS_OK;
}

static bool begins(struct slice text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.data, with, len) == 0;
}

enum status committed_take(struct committed *committed, struct arena *arena,
                           const struct ledger_entry *entry, struct error *error)
{
    if (entry->type != LEDGER_ACT || entry->delivery.len == 0)
        return STATUS_OK;
    struct committed_delivery *delivery = find(committed, entry->delivery);
    if (delivery == NULL && begins(entry->text, "delivery open\n"))
        return take_open(committed, arena, entry, error);
    if (delivery != NULL && begins(entry->text, "delivery close\n"))
        return take_close(delivery, arena, entry, error);
    return STATUS_OK;
}

enum status committed_check(struct committed *committed, struct deliveries *deliveries,
                            struct error *error)
{
    for (size_t i = 0; i < committed->count; i++) {
        struct committed_delivery *delivery = &committed->all[i];
        uint8_t digest[CRYPTO_SHA256_BYTES];
        char hex[2 * CRYPTO_SHA256_BYTES + 1];
        int64_t rows;
        if (!delivery->complete || delivery->commitment == NULL)
            continue;
        TRY(deliveries_commitment(deliveries, delivery->id, digest, &rows, error));
        crypto_hex(digest, sizeof digest, hex);
        delivery->stands = strcmp(hex, delivery->commitment) == 0;
    }
    return STATUS_OK;
}

void committed_free(struct committed *committed)
{
    free(committed->all);
    *committed = (struct committed){0};
}
