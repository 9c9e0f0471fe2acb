/* SHOW BACKOFF: logins that fail. */
#include "gateway/admin/admin_asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static void write_place(const struct backoff_line *line, char text[static INET6_ADDRSTRLEN + 4])
{
    static const struct in6_addr none = IN6ADDR_ANY_INIT;
    char address[INET6_ADDRSTRLEN] = "";
    if (memcmp(&line->address, &none, sizeof none) != 0)
        text_of_address(&line->address, address);
    bool network = address[0] != '\0' && !IN6_IS_ADDR_V4MAPPED(&line->address);
    snprintf(text, INET6_ADDRSTRLEN + 4, "%s%s", address, network ? "/64" : "");
}

/* Strangers type names of any bytes. */
static void hide_unprintable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static int by_wait(const void *a, const void *b)
{
    const struct backoff_line *x = a, *y = b;
    if (x->wait_ms != y->wait_ms)
        return x->wait_ms > y->wait_ms ? -1 : 1;
    return x->failures > y->failures ? -1 : x->failures < y->failures;
}

enum status admin_show_backoff(struct asking *asking, struct table *table, struct error *error)
{
    enum { CAPACITY = 13312, SHOWN = 1000 }; /* of all tables, and of a page */
    static const char *const columns[] = {"of",       "login",  "known", "address",
                                          "failures", "wait_s", NULL};
    static const char *const kinds[] = {[BACKOFF_PAIR] = "login",
                                        [BACKOFF_ADDRESS] = "address",
                                        [BACKOFF_NAME] = "name",
                                        [BACKOFF_CANCEL] = "cancel"};
    struct backoff_line *lines = calloc(CAPACITY, sizeof lines[0]);
    if (lines == NULL)
        return error_set(error, STATUS_NOMEM, "53200", NULL, "out of memory");
    size_t count = backoff_list(asking->server->backoff, clock_monotonic_ns(), lines, CAPACITY);
    count = count < CAPACITY ? count : CAPACITY;
    qsort(lines, count, sizeof lines[0], by_wait);
    table_init(table, ADMIN_TABLE_BYTES, columns);
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        char place[INET6_ADDRSTRLEN + 4];
        write_place(&lines[i], place);
        hide_unprintable(lines[i].login);
        struct table_row *row = table_add(table);
        table_set(table, row, 0, "%s", kinds[lines[i].kind]);
        if (lines[i].login[0] != '\0')
            table_set(table, row, 1, "%s", lines[i].login);
        table_set(table, row, 2, "%s", lines[i].known ? "yes" : "no");
        if (place[0] != '\0')
            table_set(table, row, 3, "%s", place);
        table_set(table, row, 4, "%u", lines[i].failures);
        table_set(table, row, 5, "%u.%u", lines[i].wait_ms / 1000, lines[i].wait_ms / 100 % 10);
    }
    free(lines);
    return STATUS_OK;
}
