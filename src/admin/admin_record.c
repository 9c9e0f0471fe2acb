/* What the breach path asks of the gateway and leaves in its ledger; see admin_client.h. */
#include "admin/admin_client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEX_BASE = 16,
    /* Left of a command for one more range of ids, the closing quote and the end. */
    RANGE_ROOM = 32,
};

static enum status strange(struct error *error, const char *command)
{
    return error_set(error, STATUS_IO, "08P01", "Gateway and program must be of one version.",
                     "the gateway's answer to %s is not understood", command);
}

/* Text of the first row's cell, or NULL. */
static const char *cell(const struct table *table, const char *name)
{
    for (size_t i = 0; table->first != NULL && i < table->column_count; i++)
        if (strcmp(table->columns[i], name) == 0)
            return table->first->cells[i];
    return NULL;
}

static bool number(const char *text, uint64_t *value)
{
    char *end;
    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool unhex(const char *text, uint8_t *bytes, size_t len)
{
    if (text == NULL || strlen(text) != 2 * len || strspn(text, "0123456789abcdef") != 2 * len)
        return false;
    for (size_t i = 0; i < len; i++) {
        const char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(pair, NULL, HEX_BASE);
    }
    return true;
}

enum status admin_client_cutoff(struct admin_client *client, struct admin_cutoff *cutoff,
                                struct error *error)
{
    static const char command_text[] = "SHOW CUTOFF";
    struct admin_cutoff read = {0};
    struct buffer command;
    struct table table;
    uint64_t time_ns;
    buffer_init(&command, sizeof command_text);
    buffer_append_text(&command, command_text);
    enum status status = admin_client_ask(client, &command, &table, error);
    buffer_free(&command);
    TRY(status);
    const char *node = cell(&table, "node");
    if (number(cell(&table, "entries"), &read.entries) &&
        number(cell(&table, "time_ns"), &time_ns) &&
        unhex(cell(&table, "root"), read.root, sizeof read.root) && node != NULL &&
        strlen(node) < sizeof read.node) {
        read.time_ns = (int64_t)time_ns;
        memcpy(read.node, node, strlen(node) + 1);
        *cutoff = read;
    } else {
        status = strange(error, command_text);
    }
    table_free(&table);
    return status;
}

/* Sends and frees the command; every RECORD answers with the sequence of its last entry. */
static enum status record(struct admin_client *client, struct buffer *command, uint64_t *sequence,
                          struct error *error)
{
    struct table table;
    uint64_t last;
    enum status status = admin_client_ask(client, command, &table, error);
    buffer_free(command);
    TRY(status);
    if (!number(cell(&table, "sequence"), &last))
        status = strange(error, "RECORD");
    else if (sequence != NULL)
        *sequence = last;
    table_free(&table);
    return status;
}

enum status admin_client_record_act(struct admin_client *client, const char *partner,
                                    const char *by, const char *text, uint64_t *sequence,
                                    struct error *error)
{
    struct buffer command;
    buffer_init(&command, ADMIN_CLIENT_COMMAND_BYTES);
    buffer_append_text(&command, "RECORD");
    admin_client_clause(&command, "ACT", text);
    admin_client_clause(&command, "PARTNER", partner);
    admin_client_clause(&command, "BY", by);
    return record(client, &command, sequence, error);
}

/* Appends ranges "1-500 502" of ids from *at on while they fit. */
static void put_ids(struct buffer *command, const uint32_t *ids, size_t count, size_t *at)
{
    const char *separator = "";
    while (*at < count && command->len + RANGE_ROOM < command->limit) {
        uint32_t first = ids[*at], last = first;
        for ((*at)++; *at < count && ids[*at] == last + 1; (*at)++)
            last++;
        buffer_printf(command, "%s%" PRIu32, separator, first);
        if (last != first)
            buffer_printf(command, "-%" PRIu32, last);
        separator = " ";
    }
}

enum status admin_client_record_read(struct admin_client *client, const char *kind,
                                     const char *columns, const char *purpose, const uint32_t *ids,
                                     size_t count, struct error *error)
{
    for (size_t at = 0; at < count;) {
        struct buffer command;
        buffer_init(&command, ADMIN_CLIENT_COMMAND_BYTES);
        buffer_append_text(&command, "RECORD READ");
        admin_client_clause(&command, "KIND", kind);
        admin_client_clause(&command, "COLUMNS", columns);
        admin_client_clause(&command, "PURPOSE", purpose);
        buffer_append_text(&command, " IDS '");
        size_t before = at;
        put_ids(&command, ids, count, &at);
        buffer_append_text(&command, "'");
        if (at == before)
            buffer_reserve(&command, command.limit); /* no room for one id: overflows */
        TRY(record(client, &command, NULL, error));
    }
    return STATUS_OK;
}
