/* What the breach path asks of a running gateway, asked by itself: a cut-off, an act, and the
 * record of a reading of the people whose ids stand on standard input. Prints the cut-off's size
 * before and after, and the act's sequence. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/admin_client.h"

enum { IDS_MAX = 1 << 20 };

static size_t read_ids(uint32_t *ids)
{
    size_t count = 0;
    while (count < IDS_MAX && scanf("%" SCNu32, &ids[count]) == 1)
        count++;
    return count;
}

static enum status probe(struct admin_client *client, const uint32_t *ids, size_t count,
                         struct error *error)
{
    struct admin_cutoff before, after;
    uint64_t sequence;
    TRY(admin_client_cutoff(client, &before, error));
    TRY(admin_client_record_read(client, "person", "person.full_name,person.phone", "it's a probe",
                                 ids, count, error));
    TRY(admin_client_record_act(client, "acme", "it's me", "probe isn't an act", &sequence, error));
    TRY(admin_client_cutoff(client, &after, error));
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", before.entries, sequence, after.entries);
    return STATUS_OK;
}

int main(int argc, char **argv)
{
    struct admin_client *client = NULL;
    struct error error = {0};
    uint32_t *ids = calloc(IDS_MAX, sizeof *ids);
    if (argc != 2 || ids == NULL)
        return 2;
    enum status status = admin_client_open(argv[1], 0, &client, &error);
    if (status == STATUS_OK)
        status = probe(client, ids, read_ids(ids), &error);
    if (status != STATUS_OK)
        fprintf(stderr, "%s %s\n", error.sqlstate, error.message);
    admin_client_close(client);
    free(ids);
    return status == STATUS_OK ? 0 : 1;
}
