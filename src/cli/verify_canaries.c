/* See verify_canaries.h. */
#include "cli/verify_canaries.h"

#include "base/file.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

void canaries_check_begin(struct canaries_check *check)
{
    *check = (struct canaries_check){.deliveries = 0};
    arena_init(&check->arena, ARENA_BYTES);
}

void canaries_check_end(struct canaries_check *check)
{
    committed_free(&check->committed);
    arena_free(&check->arena);
}

enum status canaries_check_entry(void *context, const struct ledger_entry *entry,
                                 struct error *error)
{
    struct canaries_check *check = context;
    return committed_take(&check->committed, &check->arena, entry, error);
}

static void count(struct canaries_check *check)
{
    for (size_t i = 0; i < check->committed.count; i++) {
        const struct committed_delivery *delivery = &check->committed.all[i];
        if (!delivery->complete || delivery->commitment == NULL)
            continue;
        check->deliveries++;
        if (delivery->stands || check->absent)
            continue;
        check->unequal++;
        check->first = check->first == NULL ? delivery->id : check->first;
    }
}

enum status canaries_check_stored(struct canaries_check *check, const char *path,
                                  struct error *error)
{
    struct deliveries *deliveries;
    check->absent = !file_exists(path);
    if (!check->absent) {
        TRY(deliveries_open(path, &deliveries, error));
        enum status status = committed_check(&check->committed, deliveries, error);
        deliveries_close(deliveries);
        TRY(status);
    }
    count(check);
    return STATUS_OK;
}
